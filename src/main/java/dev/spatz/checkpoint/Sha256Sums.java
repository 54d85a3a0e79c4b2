package dev.spatz.checkpoint;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * {@code SHA256SUMS}: the digests of the other files of a directory, in the form that {@code
 * sha256sum --check} reads.
 */
final class Sha256Sums {
  static final String NAME = "SHA256SUMS";

  private static final int BUFFER_BYTES = 1 << 18;
  private static final int DIGITS = 64;
  private static final String SEPARATOR = "  ";
  private static final long MOST_BYTES = 1 << 16;

  private Sha256Sums() {}

  /** Writes the file, over these files of the directory. */
  static void write(Path directory, List<String> names) throws IOException {
    StringBuilder text = new StringBuilder();
    for (String name : names) {
      text.append(of(directory.resolve(name))).append(SEPARATOR).append(name).append('\n');
    }
    Files.writeString(directory.resolve(NAME), text);
  }

  /**
   * Makes sure that all files are as they were written.
   *
   * @throws InvalidFileException if one is missing or of other bytes
   * @throws IOException if one cannot be read
   */
  static void verify(Path directory) throws IOException {
    Path file = directory.resolve(NAME);
    if (!Files.exists(file)) {
      throw new InvalidFileException(file, "the file is missing");
    }
    if (Files.size(file) > MOST_BYTES) {
      throw new InvalidFileException(file, "the file is too long for a list of digests");
    }
    List<String> lines = new String(Files.readAllBytes(file), UTF_8).lines().toList();
    if (lines.isEmpty()) {
      throw new InvalidFileException(file, "the file is empty");
    }
    for (String line : lines) {
      if (!line.matches("[0-9a-f]{64}  [A-Za-z0-9_][A-Za-z0-9_.-]*")) {
        throw new InvalidFileException(file, "a line is not a digest and the name of a file");
      }
      Path named = directory.resolve(line.substring(DIGITS + SEPARATOR.length()));
      verify(named, line.substring(0, DIGITS));
    }
  }

  private static void verify(Path file, String expected) throws IOException {
    try {
      String digest = of(file);
      if (!digest.equals(expected)) {
        throw new InvalidFileException(
            file, "the file is damaged: its SHA-256 is " + digest + ", and was " + expected);
      }
    } catch (NoSuchFileException e) {
      throw new InvalidFileException(file, "the file is missing", e);
    }
  }

  /** SHA-256 of a file, 64 lower-case hexadecimal digits. */
  static String of(Path file) throws IOException {
    MessageDigest digest = digest();
    byte[] buffer = new byte[BUFFER_BYTES];
    try (InputStream in = Files.newInputStream(file)) {
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        digest.update(buffer, 0, read);
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  static MessageDigest digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java platform has it
    }
  }
}
