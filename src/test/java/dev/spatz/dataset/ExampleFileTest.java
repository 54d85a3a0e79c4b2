package dev.spatz.dataset;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.tokenizer.CharacterTokenizer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExampleFileTest {
  private static final CharacterTokenizer TOKENIZER = CharacterTokenizer.of('a', 'b', 'c', 'd');

  @TempDir Path directory;
  private ExampleSet set;
  private Path file;

  private static EncodedExample example(int... tokens) {
    boolean[] predicted = new boolean[tokens.length];
    Arrays.fill(predicted, 1, tokens.length, true);
    predicted[1] = tokens.length == 2;
    return new EncodedExample(tokens, predicted);
  }

  @BeforeEach
  void keep() throws IOException {
    List<EncodedExample> train = List.of(example(1, 2, 3), example(0, 1), example(3, 3, 3, 2));
    set = ExampleSet.of(train, List.of(example(2, 1)), TOKENIZER);
    set.keep(directory);
    file = directory.resolve(ExampleSet.FILE_NAME);
  }

  @Test
  void keptExamples_areTheSame() throws IOException {
    TrainingData again = TrainingData.open(directory, TOKENIZER);
    assertEquals(set.digest(), again.digest());
    assertEquals(set.trainTokens(), again.trainTokens());
    assertEquals(set.validationTokens(), again.validationTokens());
    assertEquals(set.vocabularySize(), again.vocabularySize());
    assertEquals(file, TrainingData.file(directory));
    byte[] bytes = Files.readAllBytes(file);
    set.keep(directory);
    assertArrayEquals(bytes, Files.readAllBytes(file));
    assertEquals(List.of(file), Files.list(directory).toList());
  }

  @Test
  void keptPairs_areTheSame() throws IOException {
    List<EncodedPreference> pairs =
        List.of(
            new EncodedPreference(example(1, 2), example(1, 3, 3)),
            new EncodedPreference(example(0, 1, 2), example(0, 1)));
    ExampleSet kept = ExampleSet.ofPreferences(pairs, pairs.subList(0, 1), TOKENIZER);
    kept.keep(directory);
    ExampleSet again = ExampleSet.open(directory, TOKENIZER);
    assertTrue(again.preferences());
    assertEquals(kept.digest(), again.digest());
    Sequences sequences = again.trainSequences(32);
    assertEquals(kept.trainSequences(32).count(), sequences.count());
    assertEquals(4, sequences.examples(0));
    byte[] bytes = Files.readAllBytes(file);
    ByteBuffer.wrap(bytes).putInt(12, 0);
    Files.write(file, bytes);
    IOException e = assertThrows(IOException.class, () -> ExampleFile.read(file));
    assertTrue(e.getMessage().contains("a group of no examples"), e.getMessage());
  }

  @Test
  void otherTokenizer_isRefused() {
    IOException e =
        assertThrows(
            IOException.class,
            () -> TrainingData.open(directory, CharacterTokenizer.of('a', 'b', 'c', 'd', 'e')));
    assertTrue(e.getMessage().startsWith(file + " was made with another tokenizer"));
  }

  @Test
  void truncatedFile_isRefusedWithItsPlace() throws IOException {
    byte[] whole = Files.readAllBytes(file);
    for (int size = 0; size < whole.length; size++) {
      Files.write(file, Arrays.copyOf(whole, size));
      IOException e = assertThrows(IOException.class, () -> ExampleFile.read(file));
      assertTrue(e.getMessage().startsWith(file + ", byte "), e.getMessage());
    }
    Files.write(file, Arrays.copyOf(whole, whole.length + 1));
    IOException e = assertThrows(IOException.class, () -> ExampleFile.read(file));
    assertTrue(e.getMessage().endsWith("1 bytes are left over"), e.getMessage());
  }

  @Test
  void changedBytes_areReadOrRefused() throws IOException {
    byte[] whole = Files.readAllBytes(file);
    Random random = new Random(1);
    int refused = 0;
    for (int i = 0; i < 2000; i++) {
      byte[] changed = whole.clone();
      for (int change = 0; change <= i % 3; change++) {
        changed[random.nextInt(changed.length)] = (byte) random.nextInt();
      }
      Files.write(file, changed);
      try {
        ExampleFile.read(file);
      } catch (IOException e) {
        assertTrue(e.getMessage().startsWith(file + ", byte "), e.getMessage());
        refused++;
      }
    }
    assertTrue(refused > 1000, refused + " refused");
  }

  @Test
  void announcedSizes_areHeldAgainstTheFile() throws IOException {
    byte[] whole = Files.readAllBytes(file);
    int counts = 20 + 4 * ByteBuffer.wrap(whole).getInt(16);
    for (int at : new int[] {12, 16, counts, counts + 4, counts + 8}) {
      byte[] changed = whole.clone();
      ByteBuffer.wrap(changed).putInt(at, Integer.MAX_VALUE);
      Files.write(file, changed);
      IOException e = assertThrows(IOException.class, () -> ExampleFile.read(file));
      assertTrue(e.getMessage().contains("byte " + at), e.getMessage());
    }
  }
}
