package dev.spatz.training;

import dev.spatz.dataset.Sequences;
import dev.spatz.kernel.CounterRandom;

/**
 * Which sequence each place of each step's batch has: drawn at random, or, where the sequences are
 * trained on in epochs, in an order of all of them that is another in each epoch. It depends on the
 * seed and the place alone. Safe for use by many threads.
 */
final class DataOrder {
  private final CounterRandom random;
  private final Sequences sequences;
  private final long perStep;
  private volatile Epoch epoch = new Epoch(-1, new int[0]);

  /** The order of an epoch. */
  private record Epoch(long number, int[] order) {}

  /** {@code perStep} sequences make a step. */
  DataOrder(CounterRandom random, Sequences sequences, long perStep) {
    this.random = random;
    this.sequences = sequences;
    this.perStep = perStep;
  }

  /** The number of the sequence at a place of a step. */
  long draw(long step, long place) {
    if (!sequences.inEpochs()) {
      return random.child(step).below(place, sequences.starts());
    }
    long drawn = step * perStep + place;
    Epoch current = epoch(drawn / sequences.starts());
    return current.order[(int) (drawn % sequences.starts())];
  }

  private Epoch epoch(long number) {
    Epoch current = epoch;
    if (current.number != number) {
      current = new Epoch(number, shuffled(random.child(number)));
      epoch = current;
    }
    return current;
  }

  /** By Fisher and Yates. */
  private int[] shuffled(CounterRandom ofEpoch) {
    int[] order = new int[Math.toIntExact(sequences.starts())];
    for (int i = 0; i < order.length; i++) {
      int j = (int) ofEpoch.below(i, i + 1L);
      order[i] = order[j];
      order[j] = i;
    }
    return order;
  }
}
