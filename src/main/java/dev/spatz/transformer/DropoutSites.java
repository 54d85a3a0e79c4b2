package dev.spatz.transformer;

import dev.spatz.kernel.CounterRandom;
import dev.spatz.kernel.Dropout;
import java.util.stream.IntStream;

/**
 * The dropout of each place in the model. It belongs to a workspace, and is moved from pass to pass
 * by {@link Workspace#dropout}.
 */
public final class DropoutSites {
  /** No dropout, as in evaluation. */
  public static final DropoutSites NONE = new DropoutSites(0, 0, 0, 0);

  private static final int SITES_PER_LAYER = 3;

  private final double rate;
  private final double adapterRate;
  private final Dropout[] sites;
  private final Dropout[] adapters;

  /** One of several sequences of the site that was asked for last. */
  private final Dropout ofSequence;

  /**
   * Of a model.
   *
   * @param rate probability of zeroing
   * @param adapterRate the same of what goes into an adapter that is trained
   * @param modules the number of matrices that the adapter changes
   */
  DropoutSites(double rate, double adapterRate, int layers, int modules) {
    this.rate = rate;
    this.adapterRate = adapterRate;
    this.sites = dropouts(rate, 1 + layers * SITES_PER_LAYER);
    this.adapters = dropouts(adapterRate, modules);
    this.ofSequence = Dropout.of(rate);
  }

  private static Dropout[] dropouts(double rate, int count) {
    return IntStream.range(0, count).mapToObj(i -> Dropout.of(rate)).toArray(Dropout[]::new);
  }

  /**
   * Moves on to a pass.
   *
   * @param step the random numbers of its training step
   * @param firstSequence index in the whole batch of its first sequence
   * @return this
   */
  DropoutSites moveTo(CounterRandom step, long firstSequence) {
    for (int i = 0; i < sites.length; i++) {
      sites[i].moveTo(step, i, firstSequence);
    }
    for (int i = 0; i < adapters.length; i++) {
      adapters[i].moveTo(step, -1 - i, firstSequence);
    }
    return this;
  }

  Dropout embedding() {
    return site(0);
  }

  Dropout attentionWeights(int layer) {
    return site(1 + layer * SITES_PER_LAYER);
  }

  /**
   * The dropout of the {@code number}-th of {@code count} sequences that attention keeps apart:
   * random numbers of its own; until another one is asked for.
   */
  Dropout attentionWeights(int layer, int number, int count) {
    Dropout all = attentionWeights(layer);
    return count == 1 ? all : ofSequence.moveTo(all, number);
  }

  Dropout attentionBranch(int layer) {
    return site(2 + layer * SITES_PER_LAYER);
  }

  Dropout feedForwardBranch(int layer) {
    return site(3 + layer * SITES_PER_LAYER);
  }

  /** Of the input of the {@code number}-th module that an adapter changes. */
  Dropout adapter(int number) {
    return adapterRate == 0 ? Dropout.NONE : adapters[number];
  }

  private Dropout site(int site) {
    return rate == 0 ? Dropout.NONE : sites[site];
  }
}
