package dev.spatz.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Chat templates in the style of those that models come with. What they make of the conversations,
 * {@code expected.json}, is by npm's {@code @huggingface/jinja} 0.5.11, which {@code
 * src/it/chat-templates/run.sh} asks again.
 */
final class JinjaChatTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  private static final List<Message> TALK =
      List.of(
          Message.user("Hallo, wer bist du?"),
          Message.assistant("Ein Spatz."),
          Message.user("Und?"),
          Message.assistant("Tschilp!"));

  private static String resource(String name) {
    try (InputStream in = JinjaChatTest.class.getResourceAsStream("chat/" + name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static ChatTemplate template(String name) {
    return ChatTemplate.jinja(resource(name + ".jinja"), "<s>", "</s>");
  }

  private static BytePairTokenizer tokenizer() {
    BytePairTrainer trainer = new BytePairTrainer();
    trainer.add("Hallo, wer bist du? Ein Spatz. user assistant system\nUnd? Tschilp! ".repeat(20));
    return trainer.train(
        330,
        List.of(
            Tokenizer.END_OF_TEXT,
            "<|im_start|>",
            "<|im_end|>",
            "<s>",
            "</s>",
            "[INST]",
            "[/INST]",
            "<|start_header_id|>",
            "<|end_header_id|>",
            "<|eot_id|>",
            "<start_of_turn>",
            "<end_of_turn>",
            "<|end|>",
            "<|user|>",
            "<|assistant|>"));
  }

  /** Token ids as text, special tokens by their content. */
  private static String spelled(Tokenizer tokenizer, int... ids) {
    return Arrays.stream(ids)
        .mapToObj(
            id ->
                tokenizer.specialTokens().stream()
                    .filter(special -> special.id() == id)
                    .map(SpecialToken::content)
                    .findFirst()
                    .orElseGet(() -> tokenizer.decode(id)))
        .collect(Collectors.joining());
  }

  private static List<String> said(Tokenizer tokenizer, EncodedChat chat) {
    List<String> runs = new ArrayList<>();
    StringBuilder run = new StringBuilder();
    for (int i = 0; i <= chat.ids().length; i++) {
      if (i < chat.ids().length && chat.byAssistant()[i]) {
        run.append(spelled(tokenizer, chat.ids()[i]));
      } else if (run.length() > 0) {
        runs.add(run.toString());
        run.setLength(0);
      }
    }
    return runs;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "chatml",
        "llama2",
        "llama3",
        "mistral",
        "qwen2",
        "qwen3",
        "gemma",
        "zephyr",
        "macro",
        "generation"
      })
  void template_spellsEveryConversationAsHuggingFacesDoes(String name) throws IOException {
    JsonNode conversations = JSON.readTree(resource("conversations.json"));
    JsonNode expected = JSON.readTree(resource("expected.json")).get(name + ".jinja");
    ChatTemplate plain = template(name);
    List<?> tools = JSON.readValue(resource("tools.json"), List.class);
    ChatTemplate tooled = plain.withVariables(Map.of("tools", tools));
    assertEquals(conversations.size(), expected.size());
    for (Map.Entry<String, JsonNode> entry : conversations.properties()) {
      List<Message> messages = new ArrayList<>();
      for (JsonNode message : entry.getValue()) {
        messages.add(new Message(message.get("role").asText(), message.get("content").asText()));
      }
      JsonNode wanted = expected.get(entry.getKey());
      assertSpelled(wanted.get("whole"), plain, messages, false, entry.getKey());
      assertSpelled(wanted.get("prompt"), plain, messages, true, entry.getKey());
      assertSpelled(wanted.get("withTools"), tooled, messages, true, entry.getKey());
    }
  }

  private static void assertSpelled(
      JsonNode wanted, ChatTemplate template, List<Message> messages, boolean prompt, String name) {
    if (wanted.has("text")) {
      assertEquals(wanted.get("text").asText(), template.render(messages, prompt), name);
      return;
    }
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> template.render(messages, prompt), name);
    assertEquals("the chat template says: " + wanted.get("error").asText(), e.getMessage(), name);
  }

  @ParameterizedTest
  @CsvSource({
    "chatml, Ein Spatz.<|im_end|>, Tschilp!<|im_end|>",
    "qwen2, Ein Spatz.<|im_end|>, Tschilp!<|im_end|>",
    "generation, Ein Spatz.<|im_end|>, Tschilp!<|im_end|>",
    "llama3, Ein Spatz.<|eot_id|>, Tschilp!<|eot_id|>",
    "llama2, ' Ein Spatz. </s>', ' Tschilp! </s>'",
    "mistral, ' Ein Spatz.</s>', ' Tschilp!</s>'",
    "gemma, Ein Spatz.<end_of_turn>, Tschilp!<end_of_turn>",
    "zephyr, Ein Spatz.</s>, Tschilp!</s>",
    "macro, Ein Spatz.<|end|>, Tschilp!<|end|>",
    "qwen3, Ein Spatz.<|im_end|>, '<think>\n\n</think>\n\nTschilp!<|im_end|>'"
  })
  void mask_isRightToTheToken(String name, String first, String second) {
    BytePairTokenizer tokenizer = tokenizer();
    EncodedChat chat = template(name).encode(tokenizer, TALK, false);
    assertEquals(List.of(first, second), said(tokenizer, chat));
    assertArrayEquals(
        tokenizer.encode(template(name).render(TALK, false), AllowedSpecial.ALL), chat.ids());
  }

  /** What is said in training is what follows the prompt of a conversation. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "chatml",
        "qwen2",
        "generation",
        "llama3",
        "llama2",
        "mistral",
        "gemma",
        "macro",
        "qwen3",
        "zephyr"
      })
  void prompt_isWhatStandsBeforeTheLastTurn(String name) {
    BytePairTokenizer tokenizer = tokenizer();
    int[] prompt = template(name).encodePrompt(tokenizer, TALK.subList(0, 3));
    EncodedChat example = template(name).encodeExample(tokenizer, TALK);
    int begun = example.ids().length - 1;
    while (example.byAssistant()[begun - 1]) {
      begun--;
    }
    assertArrayEquals(prompt, Arrays.copyOf(example.ids(), begun), spelled(tokenizer, prompt));
    assertTrue(example.byAssistant()[example.ids().length - 1]);
  }

  @Test
  void specialTokensOfAUser_areOrdinaryText_alsoWhereTheTemplateWouldCompleteThem() {
    BytePairTokenizer tokenizer = tokenizer();
    ChatTemplate template =
        ChatTemplate.jinja(
            "<s>{% for m in messages %}<|im_{{ m.content }}|>{{ m.content[::-1][::-1] | upper"
                + " | lower }}{{ m.content | replace('x', '<|im_end|>') }}{% endfor %}",
            "<s>", "</s>");
    Set<String> attacks =
        Set.of("start", "<|im_start|>", "end|><|im_start", "<s></s>[INST]", ">", "<");
    for (String attack : attacks) {
      int[] ids = template.encodePrompt(tokenizer, List.of(Message.user(attack)));
      assertEquals(1, Arrays.stream(ids).filter(id -> isSpecial(tokenizer, id)).count(), attack);
    }
    // but what the template itself puts for something that is said, is the template's
    int[] ids = template.encodePrompt(tokenizer, List.of(Message.user("x")));
    assertEquals(2, Arrays.stream(ids).filter(id -> isSpecial(tokenizer, id)).count());
  }

  private static boolean isSpecial(Tokenizer tokenizer, int id) {
    return tokenizer.specialTokens().stream().anyMatch(special -> special.id() == id);
  }

  @Test
  void specialTokensInVariables_areOrdinaryText() {
    BytePairTokenizer tokenizer = tokenizer();
    ChatTemplate template =
        ChatTemplate.jinja("{{ bos_token }}{{ tools | tojson }}{{ note }}", "<s>", "</s>")
            .withVariables(
                Map.of("tools", List.of(Map.of("</s>", "[INST]")), "note", "<|im_end|>"));
    int[] ids = template.encodePrompt(tokenizer, List.of(Message.user("Hallo")));
    assertEquals("<s>[{\"</s>\": \"[INST]\"}]<|im_end|>", spelled(tokenizer, ids));
    assertEquals(1, Arrays.stream(ids).filter(id -> isSpecial(tokenizer, id)).count());
  }

  @Test
  void maskThatCannotBeExact_isRefused_butPromptsArePossible() {
    BytePairTokenizer tokenizer = tokenizer();
    String[] inexact = {
      "{% for m in messages %}{{ m.content | length }}{% endfor %}",
      "{% for m in messages | reverse %}<|im_start|>{{ m.content }}<|im_end|>{% endfor %}",
      "{% for m in messages %}{{ m.content }}{% endfor %}{{ messages | map(attribute='content') | join }}",
    };
    for (String source : inexact) {
      ChatTemplate template = ChatTemplate.jinja(source, "", "");
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class, () -> template.encode(tokenizer, TALK, false));
      assertTrue(e.getMessage().contains("{% generation %}"), e.getMessage());
      assertTrue(template.encodePrompt(tokenizer, TALK.subList(0, 1)).length > 0);
    }
  }

  @Test
  void endsOfTurn_areWhatTheTemplateEndsOneWith() {
    BytePairTokenizer tokenizer = tokenizer();
    Set<Integer> ends = template("llama3").endsOfTurn(tokenizer);
    String[] wanted = {"<|im_start|>", "<|im_end|>", "<|eot_id|>"};
    assertEquals(
        Set.of(wanted),
        ends.stream().map(id -> spelled(tokenizer, id)).collect(Collectors.toSet()));
    assertFalse(template("mistral").endsOfTurn(tokenizer).isEmpty());
  }

  @Test
  void malformedTemplates_areRefusedWithTheirLine() {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> ChatTemplate.jinja("a\n{% if x %}", "", ""));
    assertEquals(
        "the chat template is malformed: line 2: 'endif' is missing before the end of the template",
        e.getMessage());
    Map<String, ?> variables = Map.of("tools", List.of());
    assertThrows(
        IllegalArgumentException.class, () -> ChatTemplate.chatMl().withVariables(variables));
  }
}
