package dev.spatz.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PieceMergerTest {
  @Test
  void merge_randomMerges_isTheDefinitionWithAndWithoutHeap() {
    Random random = new Random(7);
    for (int round = 0; round < 2_000; round++) {
      // Any table of merges, also those that no training would give, in any order of ids.
      List<Merge> merges = new ArrayList<>();
      Set<Merge> seen = new HashSet<>();
      for (int i = 0; i < 20; i++) {
        Merge merge = new Merge(random.nextInt(10), random.nextInt(10));
        if (seen.add(merge)) {
          merges.add(merge);
        }
      }
      int[] results = random.ints(merges.size(), 0, 10).toArray();
      int[] ids = random.ints(random.nextInt(80), 0, 4).toArray();
      PieceMerger merger = new PieceMerger(new MergeTable(merges, results));
      int[] scanned = ids.clone();
      int[] heaped = ids.clone();
      scanned = Arrays.copyOf(scanned, merger.mergeScanning(scanned, ids.length));
      heaped = Arrays.copyOf(heaped, merger.mergeWithHeap(heaped, ids.length));
      int[] expected = byDefinition(ids, merges, results);
      assertArrayEquals(expected, scanned);
      assertArrayEquals(expected, heaped);
    }
  }

  @Test
  void merge_longRuns_costNLogN() {
    int n = 1 << 20;
    String spaces = " ".repeat(1 << 12);
    BytePairTokenizer tokenizer =
        BytePairTokenizer.learn(List.of(spaces, "a".repeat(1 << 12), "ab".repeat(1 << 11)), 300);
    for (String unit : new String[] {"a", " ", "ab", "ba", "x"}) {
      int[] ids = new int[n];
      for (int i = 0; i < n; i++) {
        ids[i] = tokenizer.encode(unit.substring(i % unit.length(), i % unit.length() + 1))[0];
      }
      PieceMerger merger = tokenizer.merger();
      int left = merger.merge(ids, n);
      assertTrue(merger.work() <= 4L * n * 20, unit + " took " + merger.work() + " steps");
      assertTrue("x".equals(unit) ? left == n : left < n / 100, unit + " left " + left);
    }
  }

  @Test
  void encode_longRun_isTheSameAsInTheVocabularysPieces() {
    BytePairTokenizer tokenizer = BytePairTokenizer.learn(List.of("a".repeat(1 << 11)), 267);
    assertEquals(1 << 10, tokenizer.tokenBytes(266).length);
    int[] ids = tokenizer.encode("a".repeat((1 << 20) + 1));
    assertEquals((1 << 10) + 1, ids.length);
    assertEquals(266, ids[0]);
    assertEquals("a", tokenizer.decode(ids[1 << 10]));
  }

  /** As long as there is one: the first pair of the lowest rank becomes its result. */
  private static int[] byDefinition(int[] ids, List<Merge> merges, int[] results) {
    List<Integer> list = new ArrayList<>(Arrays.stream(ids).boxed().toList());
    boolean merged = true;
    while (merged) {
      merged = false;
      for (int rank = 0; rank < results.length && !merged; rank++) {
        for (int i = 0; i + 1 < list.size() && !merged; i++) {
          if (merges.get(rank).equals(new Merge(list.get(i), list.get(i + 1)))) {
            list.set(i, results[rank]);
            list.remove(i + 1);
            merged = true;
          }
        }
      }
    }
    return list.stream().mapToInt(i -> i).toArray();
  }
}
