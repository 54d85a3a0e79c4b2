package dev.spatz.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.reader.impl.DefaultParser;
import org.jline.reader.impl.completer.StringsCompleter;
import org.jline.terminal.Size;
import org.jline.terminal.Terminal;
import org.jline.terminal.Terminal.Signal;
import org.jline.terminal.TerminalBuilder;
import org.jspecify.annotations.Nullable;

/**
 * Lines that a person types, with editing and a history, by JLine. Ctrl-C gives up a line, or stops
 * an answer; a line that ends with a backslash goes on in the next.
 */
final class EditedInput implements ChatInput {
  private static final String CONTINUED = "\\\n";
  private static final int COLUMNS = 80;
  private static final int ROWS = 24;

  private final Terminal terminal;
  private final LineReader reader;
  private final String prompt;
  private volatile @Nullable Thread answering;

  EditedInput(String prompt) throws IOException {
    this(prompt, TerminalBuilder.builder().system(true).encoding(StandardCharsets.UTF_8).build());
  }

  /** {@code terminal} is closed with this. */
  EditedInput(String prompt, Terminal terminal) {
    this.prompt = prompt;
    this.terminal = terminal;
    // All the time: who stops an answer that is just over does not want to end the program.
    terminal.handle(Signal.INT, signal -> stop());
    if (terminal.getWidth() <= 0) { // a container's or a recorder's often has no size
      terminal.setSize(new Size(COLUMNS, ROWS));
    }
    DefaultParser parser = new DefaultParser();
    parser.setQuoteChars(new char[0]); // an apostrophe is no quotation
    parser.setEofOnEscapedNewLine(true);
    reader =
        LineReaderBuilder.builder()
            .terminal(terminal)
            .parser(parser)
            .completer(new StringsCompleter(Chat.commandNames()))
            .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true) // "!" is only a sign
            .variable(LineReader.SECONDARY_PROMPT_PATTERN, "  ")
            .build();
  }

  /** Where the answers go. */
  PrintWriter out() {
    return terminal.writer();
  }

  @Override
  public @Nullable String nextLine() {
    try {
      return reader.readLine(prompt).replace(CONTINUED, "\n");
    } catch (UserInterruptException e) {
      return "";
    } catch (EndOfFileException e) {
      return null;
    }
  }

  @Override
  public void answer(Runnable answer) {
    answering = Thread.currentThread();
    try {
      answer.run();
    } finally {
      answering = null;
    }
  }

  private void stop() {
    Thread thread = answering;
    if (thread != null) {
      thread.interrupt();
    }
  }

  @Override
  public void close() throws IOException {
    terminal.close();
  }
}
