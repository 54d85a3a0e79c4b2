package dev.spatz.dataset;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PackedExamplesTest {
  private static final int TIME = 48;
  private static final int[] BYTES = IntStream.range(0, 100).map(id -> id % 4).toArray();

  /** Tokens first, first + 1, …; the second half is predicted. */
  private static EncodedExample example(int first, int length) {
    boolean[] predicted = new boolean[length];
    Arrays.fill(predicted, (length + 1) / 2, length, true);
    return new EncodedExample(IntStream.range(first, first + length).toArray(), predicted);
  }

  private static List<List<EncodedExample>> alone(List<EncodedExample> examples) {
    return examples.stream().map(List::of).toList();
  }

  @Test
  void everyTarget_isThereOnce_behindItsOwnInputs() {
    List<EncodedExample> examples =
        List.of(example(1, 17), example(20, 5), example(30, TIME + 1), example(2, 17));
    PackedExamples packed = new PackedExamples(alone(examples), 1, TIME, BYTES);
    assertEquals(2, packed.count());
    List<String> found = new ArrayList<>();
    long bytes = 0;
    int all = 0;
    for (int k = 0; k < packed.count(); k++) {
      int[] inputs = new int[TIME + 2];
      int[] targets = new int[TIME + 2];
      int n = packed.read(k, inputs, targets, 2);
      assertEquals(packed.targets(k), n);
      all += n;
      for (int i = 0; i < packed.examples(k); i++) {
        bytes += packed.textBytes(k, i);
      }
      int[] lengths = packed.lengths(k);
      assertEquals(TIME, IntStream.of(lengths).sum());
      int at = 2;
      for (int length : lengths) {
        assertEquals(0, length % 16);
        StringBuilder one = new StringBuilder();
        for (int i = at; i < at + length; i++) {
          if (targets[i] != Sequences.NO_TARGET) {
            assertEquals(inputs[i] + 1, targets[i]);
            one.append(targets[i]).append(' ');
          }
        }
        found.add(one.toString());
        at += length;
      }
    }
    found.removeIf(String::isEmpty);
    List<String> expected = new ArrayList<>();
    long expectedBytes = 0;
    for (EncodedExample example : examples) {
      StringBuilder one = new StringBuilder();
      for (int i = 1; i < example.ids().length; i++) {
        if (example.predicted()[i]) {
          one.append(example.ids()[i]).append(' ');
          expectedBytes += BYTES[example.ids()[i]];
        }
      }
      expected.add(one.toString());
    }
    assertEquals(expected.stream().sorted().toList(), found.stream().sorted().toList());
    assertEquals(packed.allTargets(), all);
    assertEquals(expectedBytes, bytes);
  }

  @Test
  void shortExamples_shareASequence() {
    List<EncodedExample> examples = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      examples.add(example(i, 10));
    }
    PackedExamples packed = new PackedExamples(alone(examples), 1, TIME, BYTES);
    assertEquals(10, packed.count());
    assertArrayEquals(new int[] {16, 16, 16}, packed.lengths(0));
  }

  @Test
  void tooLong_isRefused() {
    List<EncodedExample> examples = List.of(example(0, TIME + 2));
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> new PackedExamples(alone(examples), 1, TIME, BYTES));
    assertTrue(e.getMessage().contains("50 tokens"), e.getMessage());
  }

  @Test
  void examplesWithoutTargets_areRefused() {
    assertThrows(
        IllegalArgumentException.class,
        () -> new EncodedExample(new int[] {1, 2}, new boolean[] {true, false}));
    assertThrows(
        IllegalArgumentException.class,
        () -> new EncodedExample(new int[] {1, 2}, new boolean[] {true}));
  }
}
