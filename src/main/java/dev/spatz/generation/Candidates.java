package dev.spatz.generation;

import java.util.Arrays;

/**
 * The tokens that can still be drawn, with their logits. One object serves all draws of a text; no
 * step allocates.
 *
 * <p>They are ordered by rising id, or, once {@code sorted}, by falling logit and equal ones by
 * rising id; removing some keeps the order. Only as many are sorted as are kept.
 */
final class Candidates {
  /** So many are sorted first, where it is not known how many will be kept. */
  private static final int FIRST_SORTED = 64;

  private int[] ids;
  private double[] logits;
  private int[] otherIds;
  private double[] otherLogits;
  private final double[] weights;
  private final long[] keys;
  private int count;
  private boolean sorted;
  private long index;

  Candidates(int vocabularySize) {
    ids = new int[vocabularySize];
    logits = new double[vocabularySize];
    otherIds = new int[vocabularySize];
    otherLogits = new double[vocabularySize];
    weights = new double[vocabularySize];
    keys = new long[vocabularySize];
  }

  /** All tokens, for the draw number {@code drawIndex} of a text. */
  void load(float[] values, long drawIndex) {
    count = values.length;
    sorted = false;
    index = drawIndex;
    for (int id = 0; id < count; id++) {
      ids[id] = id;
      logits[id] = values[id];
    }
  }

  int count() {
    return count;
  }

  /** The number of the draw. */
  long index() {
    return index;
  }

  int id(int position) {
    return ids[position];
  }

  double logit(int position) {
    return logits[position];
  }

  /** Changes the logit of a token; only while none is removed, so that its position is its id. */
  void setLogit(int id, double value) {
    logits[id] = (float) value; // the order of logits is that of floats
  }

  double largestLogit() {
    double largest = logits[0];
    for (int i = 1; i < count && !sorted; i++) {
      largest = Math.max(largest, logits[i]);
    }
    return largest;
  }

  /** Sets the weights to the probabilities, up to a factor; returns their sum. */
  double weigh() {
    double largest = largestLogit();
    double sum = 0;
    for (int i = 0; i < count; i++) {
      weights[i] = Math.exp(logits[i] - largest);
      sum += weights[i];
    }
    return sum;
  }

  /** The weight that {@link #weigh} gave a position. */
  double weight(int position) {
    return weights[position];
  }

  /** Keeps those whose logits are at least {@code least}; the likeliest in any case. */
  void keepFrom(double least) {
    double bound = Math.min(least, largestLogit());
    int kept = 0;
    for (int i = 0; i < count; i++) {
      if (logits[i] >= bound) {
        move(i, kept++);
      }
    }
    count = kept;
  }

  /** Removes those that a step has forbidden by a logit of negative infinity; all, perhaps. */
  void removeForbidden() {
    int kept = 0;
    for (int i = 0; i < count; i++) {
      if (logits[i] != Double.NEGATIVE_INFINITY) {
        move(i, kept++);
      }
    }
    count = kept;
  }

  /** Removes those whose logits are at least {@code least}, but for the position {@code spared}. */
  void removeFrom(double least, int spared) {
    int kept = 0;
    for (int i = 0; i < count; i++) {
      if (logits[i] < least || i == spared) {
        move(i, kept++);
      }
    }
    count = kept;
  }

  /** Keeps one. */
  void keepOnly(int position) {
    move(position, 0);
    count = 1;
  }

  /** Keeps the k likeliest, sorted. */
  void keepLikeliest(int k) {
    int kept = Math.min(k, count);
    if (!sorted) {
      fillKeysByLogit();
      sortKeys(0, kept);
      gather(kept);
      sorted = true;
    }
    count = kept;
  }

  /** Keeps the smallest number of likeliest ones whose probabilities reach {@code p}, sorted. */
  void keepProbability(double p) {
    double wanted = p * weigh();
    fillKeysByLogit();
    int kept = reach(wanted);
    gather(kept);
    sorted = true;
    count = kept;
  }

  /** Keeps the smallest number with the least {@code distances} (position) that reach {@code p}. */
  void keepNearest(double[] distances, double p) {
    double wanted = p * weigh();
    for (int i = 0; i < count; i++) {
      keys[i] = key((float) distances[i], i);
    }
    int kept = reach(wanted);
    for (int i = 0; i < kept; i++) {
      keys[i] = (int) keys[i];
    }
    Arrays.sort(keys, 0, kept);
    gather(kept);
    count = kept;
  }

  /**
   * Draws one by its probability.
   *
   * @param uniform in [0, 1)
   * @throws IllegalStateException if a logit is NaN or infinite
   */
  int draw(double uniform) {
    double sum = weigh();
    if (!Double.isFinite(sum)) {
      throw new IllegalStateException("the model's logits are not all finite; its weights are bad");
    }
    double left = uniform * sum;
    for (int i = 0; i < count; i++) {
      left -= weights[i];
      if (left < 0) {
        return ids[i];
      }
    }
    return ids[count - 1]; // rounding
  }

  /** Divides the distances of the logits to the largest, which becomes 0. */
  void divide(double temperature) {
    double largest = largestLogit();
    for (int i = 0; i < count; i++) {
      logits[i] = (logits[i] - largest) / temperature;
    }
  }

  private void move(int from, int to) {
    ids[to] = ids[from];
    logits[to] = logits[from];
  }

  /** A number that rises with the value, then with the position. */
  private static long key(float value, int position) {
    int bits = Float.floatToIntBits(value);
    return (long) (bits ^ (bits >> 31 & 0x7FFFFFFF)) << 32 | position;
  }

  private void fillKeysByLogit() {
    for (int i = 0; i < count; i++) {
      keys[i] = key((float) -logits[i], i);
    }
  }

  /** How many weights in the order of the keys reach {@code wanted}; as many keys are sorted. */
  private int reach(double wanted) {
    double sum = 0;
    int kept = 0;
    int inOrder = 0;
    do {
      if (kept == inOrder) {
        int next = (int) Math.min(count, Math.max(FIRST_SORTED, 4L * inOrder));
        sortKeys(inOrder, next);
        inOrder = next;
      }
      sum += weights[(int) keys[kept++]];
    } while (kept < count && sum < wanted);
    return kept;
  }

  /** Brings the smallest of the keys from {@code from} on into order, as far as {@code to}. */
  private void sortKeys(int from, int to) {
    int low = from;
    int high = count - 1;
    while (low < high && to < count) { // Hoare's selection (1961)
      long pivot = median(keys[low], keys[(low + high) >>> 1], keys[high]);
      int i = low - 1;
      int j = high + 1;
      while (true) {
        do {
          i++;
        } while (keys[i] < pivot);
        do {
          j--;
        } while (keys[j] > pivot);
        if (i >= j) {
          break;
        }
        long key = keys[i];
        keys[i] = keys[j];
        keys[j] = key;
      }
      if (to <= j) {
        high = j;
      } else {
        low = j + 1;
      }
    }
    Arrays.sort(keys, from, to);
  }

  private static long median(long a, long b, long c) {
    return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
  }

  /** Puts those at the positions of the first keys first, in the order of the keys. */
  private void gather(int kept) {
    for (int i = 0; i < kept; i++) {
      int position = (int) keys[i];
      otherIds[i] = ids[position];
      otherLogits[i] = logits[position];
    }
    int[] oldIds = ids;
    ids = otherIds;
    otherIds = oldIds;
    double[] oldLogits = logits;
    logits = otherLogits;
    otherLogits = oldLogits;
  }
}
