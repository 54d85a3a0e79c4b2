package dev.spatz.tokenizer;

import java.util.Arrays;
import java.util.List;
import java.util.Set;

/** The rank of every pair of ids that may be merged, and the id that it becomes. */
final class MergeTable {
  /** The rank of a pair that is never merged; greater than all ranks. */
  static final int NEVER = PairMap.ABSENT;

  private final List<Merge> merges;
  private final PairMap ranks;
  private final int[] results;

  /**
   * @param results the id that each of the merges makes
   */
  MergeTable(List<Merge> merges, int[] results) {
    this(merges, results, Set.of());
  }

  /** A table whose ranks another may still add to. */
  MergeTable(PairMap ranks, int[] results) {
    merges = List.of();
    this.ranks = ranks;
    this.results = results;
  }

  private MergeTable(List<Merge> merges, int[] results, Set<Integer> without) {
    this.merges = merges;
    this.results = results;
    ranks = new PairMap(merges.size());
    for (int rank = 0; rank < merges.size(); rank++) {
      Merge merge = merges.get(rank);
      if (!without.contains(results[rank])
          && ranks.put(PairMap.key(merge.left(), merge.right()), rank) != NEVER) {
        throw new IllegalArgumentException(
            "merge " + rank + " of ids " + merge.left() + " and " + merge.right() + " is repeated");
      }
    }
  }

  /** The table without the merges that make some ids. */
  MergeTable without(Set<Integer> ids) {
    return Arrays.stream(results).anyMatch(ids::contains)
        ? new MergeTable(merges, results, ids)
        : this;
  }

  int rank(int left, int right) {
    return ranks.get(PairMap.key(left, right));
  }

  int result(int rank) {
    return results[rank];
  }
}
