package dev.spatz.kernel;

/**
 * Which elements dropout zeroes (Srivastava et al. 2014). The decision about an element depends on
 * the random key and on the element's place in the whole batch alone, never on shards or threads,
 * and is made again, the same, in the backward.
 *
 * <p>Element (row r, column c) of an activation of C columns is dropped if {@code
 * random.uniform((firstSequence·T + r)·C + c) < rate}; the attention weight of query i and key j in
 * head h of sequence b if {@code random.uniform((((firstSequence + b)·H + h)·T + i)·T + j) < rate}.
 *
 * @param rate probability of being zeroed, 0 ≤ rate &lt; 1
 * @param random the key of this place in the model and this step
 * @param firstSequence index in the whole batch of the first sequence of the arrays
 */
public record Dropout(double rate, CounterRandom random, long firstSequence) {
  /** No dropout. */
  public static final Dropout NONE = new Dropout(0, CounterRandom.of(0), 0);

  /**
   * Checks the rate.
   *
   * @throws IllegalArgumentException if the rate is not in [0, 1)
   */
  public Dropout {
    if (!(rate >= 0 && rate < 1)) {
      throw new IllegalArgumentException("dropout (" + rate + ") must be at least 0 and below 1");
    }
  }

  /** Whether anything is dropped. */
  public boolean active() {
    return rate > 0;
  }

  /** Whether an element is zeroed. */
  public boolean drops(long index) {
    return random.uniform(index) < rate;
  }

  /** The factor of an element: 0 where it is dropped, else 1/(1 − rate). */
  public double factor(long index) {
    return drops(index) ? 0 : 1 / (1 - rate);
  }
}
