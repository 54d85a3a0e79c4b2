package dev.spatz.dataset;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A file of a {@link Corpus} is not what it should be: bytes that are no text in its encoding, or a
 * record that is malformed or lacks its text. The message names the file, the place (byte offset or
 * line, from 0 and 1 respectively) and the fault.
 */
public final class MalformedTextException extends IOException {
  private static final long serialVersionUID = 1L;

  private MalformedTextException(String message) {
    super(message);
  }

  static MalformedTextException atByte(Path file, long offset, String fault) {
    return new MalformedTextException(file + ", byte " + offset + ": " + fault);
  }

  static MalformedTextException atLine(Path file, long line, String fault) {
    return new MalformedTextException(file + ", line " + line + ": " + fault);
  }
}
