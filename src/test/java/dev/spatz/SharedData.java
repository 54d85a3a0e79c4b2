package dev.spatz;

import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Corpora and reference models that are not part of the project. Their place is the property {@code
 * spatz.data}; where one is absent its test is skipped with a message, or fails if {@code
 * spatz.data.required} is true.
 */
public final class SharedData {
  private SharedData() {}

  /** The path of a shared file or directory; ends the calling test where it is absent. */
  public static Path path(String relative) {
    Path path = Path.of(System.getProperty("spatz.data", "../shared/data")).resolve(relative);
    if (Files.exists(path)) {
      return path;
    }
    String message = "shared test data is absent: " + path + " (set -Dspatz.data=DIRECTORY)";
    if (Boolean.getBoolean("spatz.data.required")) {
      return fail(message);
    }
    return abort(message);
  }
}
