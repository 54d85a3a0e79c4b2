package dev.spatz.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import org.jspecify.annotations.Nullable;

/** Lines of a file or another program. */
record PipedInput(BufferedReader lines) implements ChatInput {
  @Override
  public @Nullable String nextLine() throws IOException {
    try {
      return lines.readLine();
    } catch (CharacterCodingException e) {
      throw Terminal.notInEncoding(e);
    }
  }

  @Override
  public void answer(Runnable answer) {
    answer.run();
  }
}
