package dev.spatz.generation;

import dev.spatz.kernel.CounterRandom;
import java.util.Arrays;

/**
 * Draws tokens from logits: keeps the top-k, then the top-p of what is left, then divides by the
 * temperature, then draws.
 *
 * <p>Not for use by several threads: it holds the memory of a draw.
 */
public final class Sampler {
  private final GenerationConfig config;
  private final CounterRandom random;
  private final Candidates candidates;

  /** A sampler for a vocabulary; {@code seed} decides all its draws. */
  public Sampler(GenerationConfig config, int vocabularySize, long seed) {
    this.config = config;
    this.random = CounterRandom.of(seed);
    this.candidates = new Candidates(vocabularySize);
  }

  /**
   * The token number {@code index} of a text.
   *
   * @param logits (V)
   * @return a token id
   */
  public int sample(float[] logits, long index) {
    if (config.temperature() == 0) {
      return argmax(logits);
    }
    candidates.load(logits);
    if (config.topK() > 0) {
      candidates.keepLikeliest(config.topK());
    }
    if (config.topP() < 1) {
      candidates.keepProbability(config.topP());
    }
    return candidates.draw(config.temperature(), random.uniform(index));
  }

  /** The index of the largest value, the first of equals. */
  static int argmax(float[] values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      if (values[i] > values[best]) {
        best = i;
      }
    }
    return best;
  }

  /** Tokens that can still be drawn. */
  private static final class Candidates {
    private final int[] ids;
    private final double[] logits;
    private final double[] weights;
    private final long[] order;
    private int count;
    private boolean sorted;

    Candidates(int vocabularySize) {
      ids = new int[vocabularySize];
      logits = new double[vocabularySize];
      weights = new double[vocabularySize];
      order = new long[vocabularySize];
    }

    void load(float[] values) {
      count = values.length;
      sorted = false;
      for (int id = 0; id < count; id++) {
        ids[id] = id;
        logits[id] = values[id];
      }
    }

    void keepLikeliest(int k) {
      sort();
      count = Math.min(count, k);
    }

    /** Keeps the smallest number of likeliest candidates whose probabilities reach {@code p}. */
    void keepProbability(double p) {
      sort();
      double wanted = p * weigh(1);
      double sum = 0;
      int kept = 0;
      while (kept < count && sum < wanted) {
        sum += weights[kept++];
      }
      count = Math.max(1, kept);
    }

    int draw(double temperature, double uniform) {
      double left = uniform * weigh(temperature);
      for (int i = 0; i < count; i++) {
        left -= weights[i];
        if (left < 0) {
          return ids[i];
        }
      }
      return ids[count - 1]; // rounding
    }

    /** Sets the weights exp(logit/temperature), up to a factor; returns their sum. */
    private double weigh(double temperature) {
      double largest = logits[0];
      for (int i = 1; i < count && !sorted; i++) {
        largest = Math.max(largest, logits[i]);
      }
      double sum = 0;
      for (int i = 0; i < count; i++) {
        weights[i] = Math.exp((logits[i] - largest) / temperature);
        sum += weights[i];
      }
      return sum;
    }

    /** Sorts by falling logit, equal ones by rising id. */
    private void sort() {
      if (sorted) {
        return;
      }
      for (int i = 0; i < count; i++) {
        int bits = Float.floatToIntBits((float) logits[i]);
        int rising = bits ^ (bits >> 31 & 0x7FFFFFFF); // integers in the order of the floats
        order[i] = (long) ~rising << 32 | ids[i];
      }
      Arrays.sort(order, 0, count);
      double[] values = weights; // a buffer, overwritten by the next weigh
      System.arraycopy(logits, 0, values, 0, count);
      for (int i = 0; i < count; i++) {
        ids[i] = (int) order[i];
        logits[i] = values[ids[i]];
      }
      sorted = true;
    }
  }
}
