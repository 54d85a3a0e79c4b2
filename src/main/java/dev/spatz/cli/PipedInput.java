package dev.spatz.cli;

import java.io.BufferedReader;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Lines of a file or another program. */
record PipedInput(BufferedReader lines) implements ChatInput {
  @Override
  public @Nullable String nextLine() throws IOException {
    return lines.readLine();
  }

  @Override
  public void answer(Runnable answer) {
    answer.run();
  }
}
