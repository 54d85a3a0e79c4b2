package dev.spatz.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.tokenizer.Message;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConversationsTest {
  private static final String SHAPES =
      """
      {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"},\
       {"role": "assistant", "content": "a"}]}

      {"instruction": "Add.", "input": "1 1", "output": "2"}
      {"instruction": "Sing.", "input": "", "output": "Tschilp", "other": 3}
      {"prompt": "p", "completion": "c"}
      """;

  @TempDir private Path directory;

  private Path file(String name, String text) throws IOException {
    return Files.writeString(directory.resolve(name), text);
  }

  private static List<List<Message>> messages(Conversations conversations) throws IOException {
    return conversations.read(fault -> {}).stream().map(Conversation::messages).toList();
  }

  @Test
  void threeShapes_ofLinesAndArrays() throws IOException {
    List<List<Message>> expected =
        List.of(
            List.of(Message.system("s"), Message.user("u"), Message.assistant("a")),
            List.of(Message.user("Add.\n\n1 1"), Message.assistant("2")),
            List.of(Message.user("Sing."), Message.assistant("Tschilp")),
            List.of(Message.user("p"), Message.assistant("c")));
    assertEquals(expected, messages(Conversations.of(file("a.jsonl", SHAPES))));
    String array = "[" + SHAPES.strip().replaceAll("\n+", ",\n") + "]";
    assertEquals(expected, messages(Conversations.of(file("a.json", array))));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"prompt\": \"p\"}",
        "{\"prompt\": 1, \"completion\": \"c\"}",
        "{\"prompt\": \"p\", \"completion\": \" \"}",
        "{\"text\": \"t\"}",
        "{\"messages\": \"m\"}",
        "{\"messages\": [{\"role\": \"user\", \"content\": \"u\"}]}",
        "{\"messages\": [{\"role\": \"a b\", \"content\": \"u\"}]}",
        "{\"prompt\": \"\\ud800\", \"completion\": \"c\"}",
        "[1]",
        "3",
        "{\"prompt\"",
        "{\"prompt\": \"p\", \"prompt\": \"p\", \"completion\": \"c\"}"
      })
  void faults_areRefusedByLine_orLeftOutAndTold(String record) throws IOException {
    Path file = file("a.jsonl", "{\"prompt\": \"p\", \"completion\": \"c\"}\n\n" + record + "\n");
    Conversations all = Conversations.of(file);
    IOException e = assertThrows(MalformedTextException.class, () -> messages(all));
    assertTrue(e.getMessage().contains("a.jsonl"), e.getMessage());
    assertTrue(e.getMessage().contains("3"), e.getMessage());
    List<String> faults = new ArrayList<>();
    assertEquals(1, all.skippingFaults().read(faults::add).size());
    assertEquals(List.of(e.getMessage()), faults);
  }

  @Test
  void toolsAndTheirCalls_areRefusedByName_andWhatAToolSaysIsRead() throws IOException {
    String said =
        "{\"tools\": [], \"messages\": [{\"role\": \"user\", \"content\": \"u\", \"name\": \"n\"},"
            + " {\"role\": \"tool\", \"tool_call_id\": \"1\", \"content\": \"t\"},"
            + " {\"role\": \"assistant\", \"content\": \"a\", \"tool_calls\": null}]}";
    assertEquals(
        List.of(List.of(Message.user("u"), Message.tool("t"), Message.assistant("a"))),
        messages(Conversations.of(file("a.jsonl", said))));
    for (String[] fault :
        new String[][] {
          {
            "\"tool_calls\": null", "\"tool_calls\": [{\"id\": 1}]", "\"tool_calls\" is not carried"
          },
          {"\"tool_calls\": null", "\"function_call\": {}", "\"function_call\" is not carried"},
          {"\"tools\": []", "\"tools\": [{}]", "\"tools\" is not carried; describe them"}
        }) {
      Path file = file("b.jsonl", said.replace(fault[0], fault[1]));
      IOException e = assertThrows(IOException.class, () -> messages(Conversations.of(file)));
      assertTrue(e.getMessage().contains(fault[2]), e.getMessage());
    }
  }

  @Test
  void noJson_isRefused() throws IOException {
    for (String text : List.of("", "{}", "[{\"prompt\": \"p\", \"completion\": \"c\"}", "[3")) {
      Path file = file("a.json", text);
      IOException e =
          assertThrows(IOException.class, () -> messages(Conversations.of(file).skippingFaults()));
      assertTrue(e.getMessage().contains("a.json"), e.getMessage());
    }
  }

  @Test
  void otherEncodings_areRefused() throws IOException {
    Path file =
        Files.write(
            directory.resolve("a.jsonl"),
            "{\"prompt\": \"\u00e4\", \"completion\": \"c\"}"
                .getBytes(StandardCharsets.ISO_8859_1));
    IOException e = assertThrows(IOException.class, () -> messages(Conversations.of(file)));
    assertTrue(e.getMessage().contains("UTF-8"), e.getMessage());
  }
}
