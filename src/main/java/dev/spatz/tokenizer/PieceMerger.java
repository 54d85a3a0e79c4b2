package dev.spatz.tokenizer;

import java.util.Arrays;

/**
 * Merges the ids of one pre-token's bytes: as long as two neighbours have a rank, those of the
 * lowest rank, and of these the first, become one. For one thread.
 *
 * <p>A word has few bytes, and scanning it for the lowest rank before each merge is fastest. Long
 * pre-tokens keep their pairs in a heap instead, so that n bytes cost n log n.
 */
final class PieceMerger {
  private static final int LONG = 48;

  private final MergeTable merges;
  private int[] ranks = new int[LONG];
  private long work;

  PieceMerger(MergeTable merges) {
    this.merges = merges;
  }

  /** Elementary steps done so far: pairs looked at, and places moved in the heap. */
  long work() {
    return work;
  }

  /** Merges {@code ids[0, n)} in place and returns how many remain. */
  int merge(int[] ids, int n) {
    return n <= LONG ? mergeScanning(ids, n) : mergeWithHeap(ids, n);
  }

  int mergeScanning(int[] ids, int n) {
    if (ranks.length < n) {
      ranks = new int[n];
    }
    for (int i = 0; i + 1 < n; i++) {
      ranks[i] = merges.rank(ids[i], ids[i + 1]);
    }
    int count = n;
    while (true) {
      int lowest = MergeTable.NEVER;
      int at = -1;
      for (int i = 0; i + 1 < count; i++) {
        if (ranks[i] < lowest) {
          lowest = ranks[i];
          at = i;
        }
      }
      work += count;
      if (at < 0) {
        return count;
      }
      ids[at] = merges.result(lowest);
      count--;
      System.arraycopy(ids, at + 2, ids, at + 1, count - at - 1);
      System.arraycopy(ranks, at + 1, ranks, at, count - at - 1);
      if (at + 1 < count) {
        ranks[at] = merges.rank(ids[at], ids[at + 1]);
      }
      if (at > 0) {
        ranks[at - 1] = merges.rank(ids[at - 1], ids[at]);
      }
    }
  }

  int mergeWithHeap(int[] ids, int n) {
    Chain chain = new Chain(ids, n);
    while (chain.heapSize > 0) {
      long lowest = chain.pop();
      int rank = (int) (lowest >>> 32);
      int at = (int) lowest;
      // The pair may have been merged with a neighbour since it entered the heap.
      if (chain.rank[at] == rank) {
        chain.join(at, merges.result(rank));
      }
    }
    int count = 0;
    for (int i = 0; i < n; i = chain.next[i]) {
      ids[count++] = ids[i];
    }
    return count;
  }

  /** The ids as a doubly linked list, with a heap of (rank, place of the left id) over it. */
  private final class Chain {
    private final int[] ids;
    private final int[] next;
    private final int[] previous;
    private final int[] rank;
    private long[] heap;
    private int heapSize;

    Chain(int[] ids, int n) {
      this.ids = ids;
      next = new int[n];
      previous = new int[n];
      rank = new int[n];
      heap = new long[n];
      Arrays.setAll(next, i -> i + 1);
      Arrays.setAll(previous, i -> i - 1);
      for (int i = 0; i < n; i++) {
        rankAt(i);
      }
    }

    /** The id at {@code at} swallows its right neighbour and becomes {@code result}. */
    void join(int at, int result) {
      int swallowed = next[at];
      ids[at] = result;
      rank[swallowed] = MergeTable.NEVER;
      next[at] = next[swallowed];
      if (next[at] < next.length) {
        previous[next[at]] = at;
      }
      rankAt(at);
      if (previous[at] >= 0) {
        rankAt(previous[at]);
      }
    }

    private void rankAt(int at) {
      boolean last = next[at] == next.length;
      rank[at] = last ? MergeTable.NEVER : merges.rank(ids[at], ids[next[at]]);
      work++;
      if (rank[at] != MergeTable.NEVER) {
        push((long) rank[at] << 32 | at);
      }
    }

    private void push(long pair) {
      if (heapSize == heap.length) {
        heap = Arrays.copyOf(heap, Math.multiplyExact(heapSize, 2));
      }
      int hole = heapSize++;
      while (hole > 0 && heap[(hole - 1) / 2] > pair) {
        heap[hole] = heap[(hole - 1) / 2];
        hole = (hole - 1) / 2;
        work++;
      }
      heap[hole] = pair;
    }

    long pop() {
      long lowest = heap[0];
      long moved = heap[--heapSize];
      int hole = 0;
      while (2 * hole + 1 < heapSize) {
        int child = 2 * hole + 1;
        if (child + 1 < heapSize && heap[child + 1] < heap[child]) {
          child++;
        }
        if (heap[child] >= moved) {
          break;
        }
        heap[hole] = heap[child];
        hole = child;
        work++;
      }
      heap[hole] = moved;
      return lowest;
    }
  }
}
