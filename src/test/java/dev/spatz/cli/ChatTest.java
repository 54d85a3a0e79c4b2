package dev.spatz.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.spatz.LanguageModel;
import dev.spatz.dataset.Corpus;
import dev.spatz.generation.GenerationConfig;
import dev.spatz.training.TrainingConfig;
import dev.spatz.transformer.TransformerConfig;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.List;
import org.jline.terminal.Terminal.Signal;
import org.jline.terminal.impl.ExternalTerminal;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

final class ChatTest {
  private static final GenerationConfig SHORT = GenerationConfig.greedy().withMaxNewTokens(4);
  private static LanguageModel model;

  @BeforeAll
  static void train() throws IOException {
    String text = "Wer da? Der Spatz, grüß Gott! user assistant system\n".repeat(200);
    model =
        LanguageModel.train(
            Corpus.of(List.of(text)),
            TrainingConfig.defaults()
                .withSteps(2)
                .withBatchSize(2)
                .withThreads(1)
                .withModel(TransformerConfig.llama(400, 96, 1, 2, 32)));
  }

  @AfterAll
  static void close() {
    model.close();
  }

  private static String talk(String system, GenerationConfig config, String... lines)
      throws IOException {
    StringWriter out = new StringWriter();
    BufferedReader input = new BufferedReader(new StringReader(String.join("\n", lines)));
    new Chat(model, config, system, new PrintWriter(out)).run(new PipedInput(input));
    return out.toString();
  }

  @Test
  void lines_areAnswered_asAConversationWouldBe() throws IOException {
    var conversation = model.conversation();
    String first = conversation.say("Wer da?", SHORT, piece -> {}).text().stripLeading();
    String second = conversation.say("Grüß Gott!", SHORT, piece -> {}).text().stripLeading();
    String note = "(the most new tokens)\n";
    assertEquals(
        first + "\n" + note + second + "\n" + note,
        talk("", SHORT, "Wer da?", "", "  Grüß Gott!", "/exit", "Wer da?"));
  }

  @Test
  void undoAndRetry_goBackToTheLastQuestion() throws IOException {
    String once = talk("", SHORT, "Wer da?");
    assertEquals(once + once, talk("", SHORT, "Wer da?", "/retry"));
    assertEquals(once + "taken back\n" + once, talk("", SHORT, "Wer da?", "/undo", "Wer da?"));
    assertEquals(
        "there is no question\nthere is no question\n", talk("", SHORT, "/undo", "/retry"));
  }

  @Test
  void systemAndReset_beginAnew() throws IOException {
    String ruled = talk("Der Spatz", SHORT, "Wer da?");
    assertEquals(
        "a new conversation, under these rules\n" + ruled + "a new conversation\n" + ruled,
        talk("", SHORT, "/system Der Spatz", "Wer da?", "/reset", "Wer da?"));
    assertEquals(
        "a new conversation, under no rules\n" + talk("", SHORT, "Wer da?"),
        talk("Der Spatz", SHORT, "/system", "Wer da?"));
  }

  @Test
  void help_namesEveryCommand_andOthersAreRefused() throws IOException {
    String help = talk("", SHORT, "/help");
    for (String name : Chat.commandNames()) {
      assertTrue(help.contains(name + " "), help);
    }
    assertEquals(
        "there is no command /fly; /help shows those that there are\n", talk("", SHORT, "/fly"));
  }

  @Test
  void oldestTurns_areForgotten_andThisIsSaid() throws IOException {
    String[] lines = new String[12];
    java.util.Arrays.fill(lines, "Der Spatz, grüß Gott!");
    assertTrue(talk("", SHORT, lines).contains("are forgotten)"));
  }

  @Test
  void questionThatCannotBe_isRefused_andTheConversationGoesOn() throws IOException {
    String answers = talk("", SHORT, "Gott! ".repeat(200), "Wer da?");
    assertTrue(answers.contains("spatz: the conversation of "), answers);
    assertTrue(answers.endsWith(talk("", SHORT, "Wer da?")), answers);
  }

  @Test
  void inputThatIsNoText_isRefused() {
    assumeTrue(Terminal.charset().equals(StandardCharsets.UTF_8), "not a UTF-8 system");
    byte[] bytes = {'W', (byte) 0xE4, 'r', '\n'};
    PipedInput input = new PipedInput(Terminal.reader(new ByteArrayInputStream(bytes)));
    IOException e = assertThrows(IOException.class, input::nextLine);
    assertEquals("standard input is not text in " + Terminal.charset(), e.getMessage());
  }

  /** Whose size nobody knows, as in a container. */
  @Test
  void terminal_editsLines_andItsInterruptStopsAnswersOnly() throws IOException {
    byte[] typed = "Grüß\u007f\r/undo\\\r!\r\u0004".getBytes(StandardCharsets.UTF_8);
    ExternalTerminal terminal =
        new ExternalTerminal(
            "test",
            "xterm",
            new ByteArrayInputStream(typed),
            new ByteArrayOutputStream(),
            StandardCharsets.UTF_8);
    try (EditedInput input = new EditedInput("> ", terminal)) {
      assertEquals("Grü", input.nextLine());
      terminal.raise(Signal.INT); // nothing to stop
      assertFalse(Thread.interrupted());
      input.answer(() -> terminal.raise(Signal.INT));
      assertTrue(Thread.interrupted());
      assertEquals("/undo\n!", input.nextLine());
      assertNull(input.nextLine());
    }
  }

  /** A person who stops the first answer. */
  private static final class Stopping implements ChatInput {
    private final Iterator<String> lines = List.of("Wer da?", "Wer da?").iterator();

    @Override
    public @Nullable String nextLine() {
      assertFalse(Thread.currentThread().isInterrupted(), "stopping was over with the answer");
      return lines.hasNext() ? lines.next() : null;
    }

    @Override
    public void answer(Runnable answer) {
      if (lines.hasNext()) {
        Thread.currentThread().interrupt();
      }
      answer.run();
    }
  }

  @Test
  void stoppedAnswer_endsAlone() throws IOException {
    StringWriter out = new StringWriter();
    new Chat(model, SHORT, "", new PrintWriter(out)).run(new Stopping());
    assertEquals(1, out.toString().lines().filter("(stopped)"::equals).count(), out.toString());
    assertTrue(out.toString().endsWith("(the most new tokens)\n"), out.toString());
  }
}
