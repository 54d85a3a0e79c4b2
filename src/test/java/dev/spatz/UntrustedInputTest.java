package dev.spatz;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.checkpoint.CheckpointReaders;
import dev.spatz.constraint.ConstraintReaders;
import dev.spatz.dataset.DatasetReaders;
import dev.spatz.template.TemplateReaders;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every reader keeps the promise of {@link UntrustedInput}: on what fuzzing (the profile {@code
 * fuzz}) kept, and on random damage to it.
 */
class UntrustedInputTest {
  private static final Path INPUTS = Path.of("src/test/resources/dev/spatz");
  private static final int DAMAGES = 20;

  @TempDir Path directory;

  static Stream<UntrustedInput.Reader> readers() {
    return Stream.of(
            CheckpointReaders.values(),
            DatasetReaders.values(),
            ConstraintReaders.values(),
            TemplateReaders.values())
        .flatMap(Arrays::stream);
  }

  /** The class of src/fuzz/java that finds a reader's inputs is named like it. */
  private static List<Path> inputs(UntrustedInput.Reader reader) throws IOException {
    StringBuilder name = new StringBuilder();
    for (String word : reader.name().split("_")) {
      name.append(word.charAt(0)).append(word.substring(1).toLowerCase(Locale.ROOT));
    }
    try (Stream<Path> files = Files.list(INPUTS.resolve(name + "FuzzInputs").resolve("read"))) {
      return files.sorted().toList();
    }
  }

  @ParameterizedTest
  @MethodSource("readers")
  void reader_keepsItsPromise(UntrustedInput.Reader reader) throws IOException {
    reader.prepare(directory);
    Random random = new Random(reader.name().hashCode());
    boolean read = false;
    boolean refused = false;
    for (Path input : inputs(reader)) {
      byte[] bytes = Files.readAllBytes(input);
      boolean accepted = UntrustedInput.isRead(reader, directory, bytes);
      read |= accepted;
      refused |= !accepted;
      for (int i = 0; i < DAMAGES; i++) {
        refused |= !UntrustedInput.isRead(reader, directory, damaged(bytes, random));
      }
    }
    assertTrue(read, "no input is sound");
    assertTrue(refused, "no damage was noticed");
  }

  private static byte[] damaged(byte[] good, Random random) {
    byte[] bytes = good.clone();
    switch (random.nextInt(3)) {
      case 0:
        return Arrays.copyOf(bytes, random.nextInt(bytes.length + 1));
      case 1:
        return Arrays.copyOf(bytes, bytes.length + 1 + random.nextInt(9));
      default:
        for (int edits = random.nextInt(4); bytes.length > 0 && edits >= 0; edits--) {
          bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
        }
        return bytes;
    }
  }
}
