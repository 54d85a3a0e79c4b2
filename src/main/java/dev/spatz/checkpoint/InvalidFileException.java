package dev.spatz.checkpoint;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A file of a model is broken, contradicts another one, or asks for something that is not
 * implemented. The message names the file, the fault and where it is.
 */
public final class InvalidFileException extends IOException {
  private static final long serialVersionUID = 1L;

  private final String path;
  private final String fault;

  /**
   * A fault of a file.
   *
   * @param path the file or directory
   * @param fault what is wrong with it, and where
   */
  public InvalidFileException(Path path, String fault) {
    this(path, fault, null);
  }

  InvalidFileException(Path path, String fault, @Nullable Throwable cause) {
    super(path + ": " + fault, cause);
    this.path = path.toString();
    this.fault = fault;
  }

  /** The file or directory. */
  public Path path() {
    return Path.of(path);
  }

  /** What is wrong with it, and where. */
  public String fault() {
    return fault;
  }
}
