package dev.spatz.training;

import dev.spatz.kernel.CounterRandom;

/**
 * Where the training windows start: epoch after epoch, each a random order of windows that follow
 * each other without overlap, so that every token is seen once an epoch; each epoch begins at
 * another place, so that the borders of the windows differ.
 *
 * <p>It is a function of the seed and the number of a window in the run, without a state: the order
 * of an epoch is a permutation by a Feistel network (Luby and Rackoff 1988) over the next power of
 * four, walked until it falls into the epoch (Black and Rogaway 2002).
 */
final class WindowOrder {
  private static final int ROUNDS = 4;
  private static final int PHASE = ROUNDS;

  private final CounterRandom random;
  private final long starts;
  private final int length;
  private final long windowsPerEpoch;
  private final int halfBits;

  /**
   * The order of windows.
   *
   * @param random the random numbers of a run
   * @param starts positions at which a window can start, at least 1
   * @param length positions of a window
   */
  WindowOrder(CounterRandom random, long starts, int length) {
    this.random = random;
    this.starts = starts;
    this.length = length;
    this.windowsPerEpoch = Math.max(1, starts / length);
    int bits = Long.SIZE - Long.numberOfLeadingZeros(windowsPerEpoch - 1);
    this.halfBits = Math.max(1, (bits + 1) / 2);
  }

  /** Windows of an epoch. */
  long windowsPerEpoch() {
    return windowsPerEpoch;
  }

  /** The start of window {@code number} of the run, counted from 0. */
  long start(long number) {
    CounterRandom epoch = random.child(number / windowsPerEpoch);
    long phases = starts - (windowsPerEpoch - 1) * length; // so that the last window fits
    long phase = epoch.child(PHASE).below(0, phases);
    return phase + permuted(epoch, number % windowsPerEpoch) * length;
  }

  private long permuted(CounterRandom epoch, long index) {
    long value = index;
    do {
      value = feistel(epoch, value);
    } while (value >= windowsPerEpoch);
    return value;
  }

  private long feistel(CounterRandom epoch, long value) {
    long mask = (1L << halfBits) - 1;
    long left = value >>> halfBits;
    long right = value & mask;
    for (int round = 0; round < ROUNDS; round++) {
      long next = left ^ (epoch.child(round).bits(right) & mask);
      left = right;
      right = next;
    }
    return left << halfBits | right;
  }
}
