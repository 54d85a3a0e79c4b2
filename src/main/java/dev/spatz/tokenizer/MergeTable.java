package dev.spatz.tokenizer;

import java.util.List;

/** The rank of every pair of ids that may be merged, and the id that it becomes. */
final class MergeTable {
  /** The rank of a pair that is never merged; greater than all ranks. */
  static final int NEVER = PairMap.ABSENT;

  private final PairMap ranks;
  private final int[] results;

  /**
   * @param results the id that each of the merges makes
   */
  MergeTable(List<Merge> merges, int[] results) {
    this.results = results;
    ranks = new PairMap(merges.size());
    for (int rank = 0; rank < merges.size(); rank++) {
      Merge merge = merges.get(rank);
      if (ranks.put(PairMap.key(merge.left(), merge.right()), rank) != NEVER) {
        throw new IllegalArgumentException(
            "merge " + rank + " of ids " + merge.left() + " and " + merge.right() + " is repeated");
      }
    }
  }

  int rank(int left, int right) {
    return ranks.get(PairMap.key(left, right));
  }

  int result(int rank) {
    return results[rank];
  }
}
