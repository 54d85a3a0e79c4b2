package dev.spatz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.dataset.Conversations;
import dev.spatz.dataset.Corpus;
import dev.spatz.generation.Conversation;
import dev.spatz.generation.EngineStatistics;
import dev.spatz.generation.Generation;
import dev.spatz.generation.GenerationConfig;
import dev.spatz.generation.LogitsProcessor;
import dev.spatz.tokenizer.ChatTemplate;
import dev.spatz.tokenizer.Message;
import dev.spatz.training.Cancellation;
import dev.spatz.training.Evaluation;
import dev.spatz.training.TrainingConfig;
import dev.spatz.training.TrainingListener;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InstructionTuningTest {
  private static final List<String> BIRDS = List.of("Spatz", "Taube", "Amsel", "Meise");
  private static LanguageModel base;

  @TempDir private Path directory;

  private static TrainingConfig config() {
    return TrainingConfig.defaults().withSteps(30).withBatchSize(4).withThreads(1);
  }

  @BeforeAll
  static void train() throws IOException {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 400; i++) {
      text.append("Der ").append(BIRDS.get(i * 7 % 4)).append(" sagt etwas. user assistant\n");
    }
    base =
        LanguageModel.train(
            Corpus.of(List.of(text.toString())),
            config().withModel(TransformerConfig.llama(600, 96, 1, 2, 32)));
  }

  @AfterAll
  static void close() {
    base.close();
  }

  private static Conversations conversations() {
    List<dev.spatz.dataset.Conversation> all = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      String bird = BIRDS.get(i % 4);
      all.add(
          dev.spatz.dataset.Conversation.of("Was sagt der " + bird + "?", bird + " sagt " + i % 4));
    }
    return Conversations.of(all);
  }

  private static LanguageModel tune(Conversations conversations, TrainingConfig config)
      throws IOException {
    return LanguageModel.fineTune(
        base, conversations, config, TrainingListener.NONE, new Cancellation());
  }

  @Test
  void tunedModel_answersAsItWasTaught_andIsSavedWithItsTemplate() throws IOException {
    List<Double> losses = new ArrayList<>();
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void evaluated(long step, Evaluation evaluation, boolean best) {
            losses.add(evaluation.natsPerToken());
          }
        };
    TrainingConfig config = config().withSteps(60).withLearningRate(4e-3);
    try (LanguageModel tuned =
        LanguageModel.fineTune(base, conversations(), config, listener, new Cancellation())) {
      assertTrue(losses.get(losses.size() - 1) < 0.3 * losses.get(0), losses.toString());
      Path saved = directory.resolve("tuned");
      tuned.save(saved);
      assertTrue(Files.readString(saved.resolve("tokenizer_config.json")).contains("im_start"));
      try (LanguageModel again = LanguageModel.load(saved)) {
        assertEquals(ChatTemplate.chatMl().source(), again.chatTemplate().source());
      }
    }
  }

  @Test
  void otherConversations_areToMeasureWith() throws IOException {
    List<dev.spatz.dataset.Conversation> others =
        List.of(dev.spatz.dataset.Conversation.of("Was?", "Spatz sagt"));
    List<Evaluation> measured = new ArrayList<>();
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void evaluated(long step, Evaluation evaluation, boolean best) {
            measured.add(evaluation);
          }
        };
    LanguageModel.fineTune(
            base,
            conversations().withValidation(Conversations.of(others)),
            config().withSteps(1),
            listener,
            new Cancellation())
        .close();
    int answer = 0;
    for (boolean counts :
        base.chatTemplate()
            .encodeExample(base.tokenizer(), others.get(0).messages())
            .byAssistant()) {
      answer += counts ? 1 : 0;
    }
    assertEquals(answer, measured.get(0).tokens());
  }

  @Test
  void tooLongConversations_areRefusedOrLeftOut() throws IOException {
    List<dev.spatz.dataset.Conversation> all = new ArrayList<>(conversations().read(fault -> {}));
    all.add(
        new dev.spatz.dataset.Conversation(
            List.of(Message.assistant("zzz ".repeat(60))), "file, line 7"));
    Conversations some = Conversations.of(all);
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> tune(some, config()));
    assertTrue(e.getMessage().startsWith("file, line 7: "), e.getMessage());
    tune(some.skippingFaults(), config().withSteps(1)).close();
  }

  @Test
  void whatCannotBe_isRefused() {
    TrainingConfig corpus = config().withValidationCorpus(Corpus.of(List.of("text")));
    assertThrows(IllegalArgumentException.class, () -> tune(conversations(), corpus));
  }

  @Test
  void conversation_remembersItsTurns_endsThem_andForks() {
    GenerationConfig greedy = GenerationConfig.greedy().withMaxNewTokens(6);
    Conversation talk = base.conversation(Message.system("Sei."));
    Generation first = talk.say("Was?", greedy, piece -> {});
    assertEquals(3, talk.messages().size());
    assertEquals(Message.assistant(first.text().strip()), talk.messages().get(2));
    Conversation fork = talk.fork();
    assertEquals(
        talk.say("Und?", greedy, p -> {}).text(), fork.say("Und?", greedy, p -> {}).text());
    assertEquals(talk.messages(), fork.messages());
    int[] prompt =
        base.chatTemplate()
            .encode(base.tokenizer(), List.of(Message.system("Sei."), Message.user("Was?")), true)
            .ids();
    assertEquals(first.promptTokens(), prompt.length + 1);
  }

  @Test
  void fullConversation_isRefused_orForgetsItsOldestTurns() {
    GenerationConfig greedy = GenerationConfig.greedy().withMaxNewTokens(3);
    Conversation talk = base.conversation(Message.system("S"));
    Conversation trimmed = talk.forgettingOldest();
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> {
              for (int i = 0; i < 20; i++) {
                talk.say("Was sagt er?", greedy, piece -> {});
              }
            });
    assertTrue(e.getMessage().contains("forgettingOldest"), e.getMessage());
    List<Message> before = talk.messages();
    assertEquals(0, (before.size() - 1) % 2, "the refused turn was not");
    for (int i = 0; i < 20; i++) {
      trimmed.say("Was sagt er?", greedy, piece -> {});
    }
    assertEquals(Message.system("S"), trimmed.messages().get(0));
    assertTrue(trimmed.messages().size() < 20, trimmed.messages().toString());
    String tooLong = "Was sagt er? ".repeat(30);
    assertThrows(IllegalArgumentException.class, () -> trimmed.say(tooLong, greedy, piece -> {}));
  }

  @Test
  void listenerThatFails_leavesTheConversationAsItWas() {
    Conversation talk = base.conversation();
    GenerationConfig some =
        GenerationConfig.greedy().withMaxNewTokens(5).withStopAtEndOfText(false);
    assertThrows(
        IllegalStateException.class,
        () ->
            talk.say(
                "Was?",
                some,
                piece -> {
                  throw new IllegalStateException("enough");
                }));
    assertEquals(List.of(), talk.messages());
  }

  /** Both come from the file of the saved model. */
  @Test
  void sayWithoutSettings_answersAsTheModelsOwnSay() throws IOException {
    Path saved = directory.resolve("defaults");
    GenerationConfig own = GenerationConfig.greedy().withMaxNewTokens(7).withStopStrings("ie");
    base.save(saved, own);
    try (LanguageModel model = LanguageModel.load(saved)) {
      String expected = model.conversation().say("Was?", own, piece -> {}).text();
      Conversation talk = model.conversation();
      assertEquals(expected, talk.say("Was?"));
      assertEquals(talk.fork().say("Und?"), talk.forgettingOldest().say("Und?"));
      assertEquals(5, talk.say("Und?", own.withMaxNewTokens(5), piece -> {}).newTokens());
    }
  }

  @Test
  void answerThatIsNotToEnd_goesOn() {
    Set<Integer> ends = base.chatTemplate().endsOfTurn(base.tokenizer());
    LogitsProcessor ending =
        (tokens, logits) -> {
          Arrays.fill(logits, Float.NEGATIVE_INFINITY);
          logits[ends.iterator().next()] = 0;
        };
    GenerationConfig config =
        GenerationConfig.greedy().withMaxNewTokens(3).withLogitsProcessor(ending);
    Conversation talk = base.conversation();
    assertEquals(1, talk.fork().say("Was?", config, piece -> {}).newTokens());
    GenerationConfig endless = config.withStopAtEndOfText(false);
    assertEquals(3, talk.say("Was?", endless, piece -> {}).newTokens());
  }

  /** Whole blocks of 64 tokens are shared. */
  @Test
  void secondTurn_readsOnlyWhatIsNew() {
    GenerationConfig greedy = GenerationConfig.greedy().withMaxNewTokens(2);
    StringBuilder rules = new StringBuilder("Sei");
    Generation first;
    Conversation talk;
    do {
      rules.append(" Spatz");
      talk = base.conversation(Message.system(rules.toString()));
      first = talk.say("Was?", greedy, piece -> {});
    } while (first.promptTokens() < 65);
    long before = base.engineStatistics().cachedPromptTokens();
    Generation second = talk.say("Und?", greedy, piece -> {});
    assertEquals(64, second.cachedPromptTokens());
    assertEquals(64, base.engineStatistics().cachedPromptTokens() - before);
    assertTrue(second.promptTokens() > first.promptTokens());
  }

  /** The first answer, which fills a block, is not read again. */
  @Test
  void secondTurn_readsNothingThatWasWritten() {
    String text = "Der Spatz sagt etwas. ".repeat(20).strip();
    int[] ids = Arrays.copyOf(base.tokenizer().encode(text), 62);
    Conversation talk = base.conversation();
    int asked =
        base.chatTemplate().encodePrompt(base.tokenizer(), List.of(Message.user("Was?"))).length;
    LogitsProcessor dictating =
        (tokens, logits) -> {
          Arrays.fill(logits, Float.NEGATIVE_INFINITY);
          logits[ids[tokens.remaining() - asked]] = 0;
        };
    GenerationConfig greedy = GenerationConfig.greedy();
    Generation first =
        talk.say(
            "Was?",
            greedy.withMaxNewTokens(ids.length).withLogitsProcessor(dictating),
            piece -> {});
    assertEquals(asked, first.promptTokens());
    assertTrue(asked < 64 && asked + ids.length > 64);
    long before = read();
    Generation second = talk.say("Und?", greedy.withMaxNewTokens(1), piece -> {});
    assertEquals(64, second.cachedPromptTokens());
    assertEquals(second.promptTokens() - 64, read() - before);
  }

  /** Tokens of prompts that were not known. */
  private static long read() {
    EngineStatistics statistics = base.engineStatistics();
    return statistics.promptTokens() - statistics.cachedPromptTokens();
  }

  @Test
  void ownTemplate_spellsTalks_teaches_andIsKept() throws IOException {
    String source =
        "{% if messages[0].role == 'system' %}{{ raise_exception('no rules') }}{% endif %}"
            + "{% for m in messages %}<|im_start|>{{ m.role }}: {{ m.content | trim }}<|im_end|>"
            + "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant:{% endif %}";
    Path saved = directory.resolve("own");
    base.save(saved);
    Files.writeString(saved.resolve("chat_template.jinja"), source);
    GenerationConfig greedy = GenerationConfig.greedy().withMaxNewTokens(3);
    try (LanguageModel model = LanguageModel.load(saved)) {
      Conversation talk = model.conversation();
      Generation answer = talk.say(" Was? <|im_end|>", greedy, piece -> {});
      int[] prompt =
          model
              .chatTemplate()
              .encodePrompt(model.tokenizer(), List.of(Message.user("Was? <|im_end|>")));
      assertEquals(prompt.length, answer.promptTokens());
      Conversation ruled = model.conversation(Message.system("Sei."));
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class, () -> ruled.say("Was?", greedy, piece -> {}));
      assertEquals("the chat template says: no rules", e.getMessage());
      assertEquals(1, ruled.messages().size());
      try (LanguageModel tuned =
          LanguageModel.fineTune(
              model,
              conversations(),
              config().withSteps(1),
              TrainingListener.NONE,
              new Cancellation())) {
        tuned.save(directory.resolve("tuned"));
      }
    }
    try (LanguageModel again = LanguageModel.load(directory.resolve("tuned"))) {
      assertEquals(source, again.chatTemplate().source());
    }
  }
}
