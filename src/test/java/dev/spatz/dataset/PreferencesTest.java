package dev.spatz.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.tokenizer.Message;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PreferencesTest {
  private static final String TURNS =
      "[{\"role\": \"system\", \"content\": \"s\"}, {\"role\": \"user\", \"content\": \"p\"}]";
  private static final String SHAPES =
      """
      {"prompt": "p", "chosen": "c", "rejected": "r", "score": 2}
      {"prompt": TURNS, "chosen": [{"role": "assistant", "content": "c"}], "rejected": "r"}
      {"messages": TURNS, "chosen": "c", "rejected": "r"}
      """
          .replace("TURNS", TURNS);

  @TempDir private Path directory;

  private Path file(String name, String text) throws IOException {
    return Files.writeString(directory.resolve(name), text);
  }

  @Test
  void shapes_ofLinesAndArrays() throws IOException {
    Path lines = file("a.jsonl", SHAPES);
    Path array = file("a.json", "[" + SHAPES.strip().replaceAll("\n", ",\n") + "]");
    List<Message> turns = List.of(Message.system("s"), Message.user("p"));
    for (Path file : List.of(lines, array)) {
      List<Preference> read = Preferences.of(file).read(fault -> {});
      assertEquals(
          List.of(List.of(Message.user("p")), turns, turns),
          read.stream().map(Preference::prompt).toList());
      for (int i = 0; i < 3; i++) {
        assertEquals("c", read.get(i).chosen());
        assertEquals("r", read.get(i).rejected());
        assertTrue(read.get(i).place().endsWith("line " + (i + 1)), read.get(i).place());
      }
      assertEquals(Message.assistant("c"), read.get(1).withChosen().get(2));
      assertEquals(Message.assistant("r"), read.get(1).withRejected().get(2));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"chosen\": \"c\", \"rejected\": \"r\"}",
        "{\"prompt\": \"p\", \"rejected\": \"r\"}",
        "{\"prompt\": \"p\", \"chosen\": \"c\"}",
        "{\"prompt\": \"p\", \"chosen\": \" \", \"rejected\": \"r\"}",
        "{\"prompt\": \"p\", \"chosen\": \"c\", \"rejected\": \"\"}",
        "{\"prompt\": \"p\", \"chosen\": \"c\", \"rejected\": \"c\"}",
        "{\"prompt\": [], \"chosen\": \"c\", \"rejected\": \"r\"}",
        "{\"prompt\": 1, \"chosen\": \"c\", \"rejected\": \"r\"}",
        "{\"prompt\": [{\"role\": \"assistant\", \"content\": \"a\"}], \"chosen\": \"c\","
            + " \"rejected\": \"r\"}",
        "{\"prompt\": \"p\", \"chosen\": [{\"role\": \"user\", \"content\": \"c\"}],"
            + " \"rejected\": \"r\"}",
        "{\"prompt\": \"p\", \"chosen\": [], \"rejected\": \"r\"}",
        "{\"prompt\": \"p\", \"chosen\": \"\\ud800\", \"rejected\": \"r\"}",
        "3",
        "{\"prompt\""
      })
  void faults_areRefusedByLine_orLeftOutAndTold(String record) throws IOException {
    String good = "{\"prompt\": \"p\", \"chosen\": \"c\", \"rejected\": \"r\"}";
    Preferences all = Preferences.of(file("a.jsonl", good + "\n\n" + record + "\n"));
    IOException e = assertThrows(MalformedTextException.class, () -> all.read(fault -> {}));
    assertTrue(e.getMessage().contains("a.jsonl"), e.getMessage());
    assertTrue(e.getMessage().contains("3"), e.getMessage());
    List<String> faults = new ArrayList<>();
    assertEquals(1, all.skippingFaults().read(faults::add).size());
    assertEquals(List.of(e.getMessage()), faults);
  }
}
