package dev.spatz.dataset;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WindowsTest {
  private static final int BEFORE = 5;

  @TempDir Path directory;

  /** Ids 0, 1, 2, … after some that belong to another part. */
  private TokenFile file(int length) throws IOException {
    Path path = directory.resolve(length + ".tokens");
    try (TokenFileWriter writer = new TokenFileWriter(path, new int[1000])) {
      writer.write(new int[] {999, 999, 999, 999, 999});
      writer.write(IntStream.range(0, length).toArray());
      writer.write(999);
      writer.commit(0, new byte[TextDigest.BYTES]);
    }
    return TokenFile.open(path);
  }

  @Test
  void evaluation_predictsEveryTokenButTheFirstOnce() throws IOException {
    for (int length = 0; length < 30; length++) {
      try (TokenFile file = file(length)) {
        TokenSequence tokens = new TokenSequence(file, BEFORE, length);
        for (int contextLength = 1; contextLength < 33; contextLength++) {
          Windows windows = tokens.windows(contextLength);
          List<Integer> predicted = new ArrayList<>();
          for (long k = 0; k < windows.count(); k++) {
            int[] inputs = filled(contextLength);
            int[] targets = filled(contextLength);
            int n = windows.read(k, inputs, targets, 0);
            for (int i = 0; i < contextLength; i++) {
              assertEquals(i < n ? k * contextLength + i : 0, inputs[i]);
              assertEquals(i < n ? inputs[i] + 1 : Windows.NO_TARGET, targets[i]);
            }
            Arrays.stream(targets, 0, n).forEach(predicted::add);
          }
          assertEquals(IntStream.range(1, length).boxed().toList(), predicted);
        }
      }
    }
  }

  private static int[] filled(int length) {
    int[] array = new int[length];
    Arrays.fill(array, 77);
    return array;
  }

  @Test
  void evaluation_atAnOffset_leavesTheRestOfTheArrays() throws IOException {
    try (TokenFile file = file(6)) {
      int[] inputs = filled(6);
      int[] targets = filled(6);
      Windows windows = new TokenSequence(file, BEFORE, 6).windows(3);
      assertEquals(2, windows.read(1, inputs, targets, 2));
      assertArrayEquals(new int[] {77, 77, 3, 4, 0, 77}, inputs);
      assertArrayEquals(new int[] {77, 77, 4, 5, -1, 77}, targets);
    }
  }

  @Test
  void training_samplesEveryFullWindow() throws IOException {
    try (TokenFile file = file(12)) {
      TokenSequence tokens = new TokenSequence(file, BEFORE, 12);
      for (int contextLength = 1; contextLength < 15; contextLength++) {
        Windows windows = tokens.windows(contextLength);
        assertEquals(contextLength, windows.length());
        assertEquals(Math.max(0, 12 - contextLength), windows.starts());
        for (int start = 0; start < windows.starts(); start++) {
          int[] inputs = filled(contextLength + 2);
          int[] targets = filled(contextLength + 2);
          windows.sample(start, inputs, targets, 1);
          int[] expected = filled(contextLength + 2);
          for (int i = 0; i < contextLength; i++) {
            expected[i + 1] = start + i;
          }
          assertArrayEquals(expected, inputs);
          for (int i = 0; i < contextLength; i++) {
            expected[i + 1]++;
          }
          assertArrayEquals(expected, targets);
        }
      }
    }
  }

  @Test
  void windowThatIsNotThere_isRefused() throws IOException {
    try (TokenFile file = file(10)) {
      Windows windows = new TokenSequence(file, BEFORE, 10).windows(4);
      int[] ids = new int[4];
      assertThrows(IndexOutOfBoundsException.class, () -> windows.read(3, ids, ids, 0));
      assertThrows(IndexOutOfBoundsException.class, () -> windows.read(-1, ids, ids, 0));
      assertThrows(IndexOutOfBoundsException.class, () -> windows.sample(6, ids, ids, 0));
      assertThrows(IndexOutOfBoundsException.class, () -> windows.sample(-1, ids, ids, 0));
    }
  }

  @Test
  void arraysThatAreTooShort_areRefused() throws IOException {
    try (TokenFile file = file(10)) {
      Windows windows = new TokenSequence(file, BEFORE, 10).windows(4);
      int[] three = new int[3];
      int[] four = new int[4];
      assertThrows(IndexOutOfBoundsException.class, () -> windows.read(0, three, four, 0));
      assertThrows(IndexOutOfBoundsException.class, () -> windows.read(0, four, three, 0));
      assertThrows(IndexOutOfBoundsException.class, () -> windows.read(0, four, four, 1));
      assertThrows(IndexOutOfBoundsException.class, () -> windows.sample(0, four, three, 0));
      assertThrows(IndexOutOfBoundsException.class, () -> windows.sample(0, four, four, 1));
    }
  }

  @Test
  void contextLength_notPositive_isRefused() throws IOException {
    try (TokenFile file = file(10)) {
      TokenSequence tokens = new TokenSequence(file, BEFORE, 10);
      assertThrows(IllegalArgumentException.class, () -> tokens.windows(0));
    }
  }

  @Test
  void reading_outsideThePart_isRefused() throws IOException {
    try (TokenFile file = file(10)) {
      TokenSequence tokens = new TokenSequence(file, BEFORE, 10);
      int[] into = new int[20];
      assertEquals(10, tokens.length());
      assertEquals(1000, tokens.vocabularySize());
      tokens.read(9, into, 0, 1);
      assertEquals(9, into[0]);
      assertThrows(IndexOutOfBoundsException.class, () -> tokens.read(-1, into, 0, 1));
      assertThrows(IndexOutOfBoundsException.class, () -> tokens.read(10, into, 0, 1));
      assertThrows(IndexOutOfBoundsException.class, () -> tokens.textBytes(0, 11));
    }
  }
}
