package dev.spatz.transformer;

import dev.spatz.kernel.CounterRandom;
import dev.spatz.kernel.Dropout;

/**
 * The dropout of each place in the model, for one step and one shard.
 *
 * @param rate probability of zeroing
 * @param adapterRate the same of what goes into an adapter that is trained
 * @param step the random numbers of this training step
 * @param firstSequence index in the whole batch of the shard's first sequence
 */
public record DropoutSites(
    double rate, double adapterRate, CounterRandom step, long firstSequence) {
  /** No dropout, as in evaluation. */
  public static final DropoutSites NONE = new DropoutSites(0, 0, CounterRandom.of(0), 0);

  private static final int SITES_PER_LAYER = 3;

  /** Without an adapter. */
  DropoutSites(double rate, CounterRandom step, long firstSequence) {
    this(rate, 0, step, firstSequence);
  }

  Dropout embedding() {
    return site(0);
  }

  Dropout attentionWeights(int layer) {
    return site(1 + layer * SITES_PER_LAYER);
  }

  Dropout attentionBranch(int layer) {
    return site(2 + layer * SITES_PER_LAYER);
  }

  Dropout feedForwardBranch(int layer) {
    return site(3 + layer * SITES_PER_LAYER);
  }

  /** Of the input of the {@code number}-th module that an adapter changes. */
  Dropout adapter(int number) {
    return site(adapterRate, -1 - number);
  }

  private Dropout site(int site) {
    return site(rate, site);
  }

  private Dropout site(double rateHere, int site) {
    return rateHere == 0 ? Dropout.NONE : new Dropout(rateHere, step.child(site), firstSequence);
  }
}
