package dev.spatz.cli;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Where a person's lines come from. */
interface ChatInput extends AutoCloseable {
  /** The next line, empty if the person gave it up; null at the end. */
  @Nullable String nextLine() throws IOException;

  /** Writes an answer; meanwhile, what the person does to stop it interrupts this thread. */
  void answer(Runnable answer);

  @Override
  default void close() throws IOException {}
}
