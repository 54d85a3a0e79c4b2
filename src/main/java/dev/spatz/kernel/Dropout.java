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
 * <p>An instance belongs to one place in the model and to one thread at a time, and is moved from
 * pass to pass: training has many places, and makes no objects for them at every step.
 */
public final class Dropout {
  /** No dropout. */
  public static final Dropout NONE = new Dropout(0);

  private final double rate;
  private long key;
  private long firstSequence;

  private Dropout(double rate) {
    this.rate = rate;
  }

  /**
   * A dropout that was not moved to a pass yet.
   *
   * @param rate probability of being zeroed, 0 ≤ rate &lt; 1
   * @throws IllegalArgumentException if the rate is not in [0, 1)
   */
  public static Dropout of(double rate) {
    if (!(rate >= 0 && rate < 1)) {
      throw new IllegalArgumentException("dropout (" + rate + ") must be at least 0 and below 1");
    }
    return rate == 0 ? NONE : new Dropout(rate);
  }

  /**
   * Moves on to a pass.
   *
   * @param step the random numbers of the pass's step
   * @param place tag of this place among them
   * @param first index in the whole batch of the first sequence of the arrays
   * @return this
   */
  public Dropout moveTo(CounterRandom step, long place, long first) {
    return moveTo(CounterRandom.childKey(step.key(), place), first);
  }

  /** Moves to one of several sequences that lie in the rows of a place, by its number. */
  public Dropout moveTo(Dropout whole, long number) {
    return moveTo(CounterRandom.childKey(whole.key, number), whole.firstSequence);
  }

  private Dropout moveTo(long newKey, long first) {
    if (active()) { // others are all the same object
      key = newKey;
      firstSequence = first;
    }
    return this;
  }

  /** Whether anything is dropped. */
  public boolean active() {
    return rate > 0;
  }

  double rate() {
    return rate;
  }

  /** Index in the whole batch of the first sequence of the arrays. */
  long firstSequence() {
    return firstSequence;
  }

  /** Whether an element is zeroed. */
  boolean drops(long index) {
    return CounterRandom.uniform(key, index) < rate;
  }

  /** The factor of an element: 0 where it is dropped, else 1/(1 − rate). */
  double factor(long index) {
    return drops(index) ? 0 : 1 / (1 - rate);
  }
}
