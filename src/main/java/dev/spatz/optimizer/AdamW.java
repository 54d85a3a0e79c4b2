package dev.spatz.optimizer;

import dev.spatz.kernel.AdamWStep;
import dev.spatz.kernel.Kernels;
import dev.spatz.transformer.ParameterLayout;
import dev.spatz.transformer.ParameterSet;

/**
 * AdamW (Loshchilov and Hutter 2019) with decay on matrices only. It owns the two moments of every
 * parameter.
 *
 * <p>An update is done range by range, so that several threads can share it; each calls {@link
 * #update} for its ranges with its own kernels. Ranges of different threads do not overlap.
 */
public final class AdamW implements AutoCloseable {
  private final AdamWConfig config;
  private final ParameterSet weights;
  private final ParameterSet firstMoment;
  private final ParameterSet secondMoment;

  /** An optimizer of {@code weights}, which it changes but does not own; the caller closes it. */
  public AdamW(AdamWConfig config, ParameterSet weights) {
    this.config = config;
    this.weights = weights;
    ParameterLayout layout = weights.layout();
    this.firstMoment = ParameterSet.zeros(layout, weights.flat().dataType());
    this.secondMoment = ParameterSet.zeros(layout, weights.flat().dataType());
  }

  /**
   * The numbers of a step, the same for all its ranges.
   *
   * @param step number of the step, from 1
   * @param gradientScale factor of the gradients; 1 for none
   */
  public AdamWStep step(long step, double learningRate, double gradientScale) {
    return new AdamWStep(
        learningRate, config.beta1(), config.beta2(), config.epsilon(), step, gradientScale);
  }

  /** Updates elements {@code from}…{@code to − 1} of the weights. */
  public void update(Kernels kernels, ParameterSet gradients, long from, long to, AdamWStep step) {
    long matrices = weights.layout().matrixElements();
    if (from < matrices) {
      update(kernels, gradients, from, Math.min(to, matrices), config.weightDecay(), step);
    }
    if (to > matrices) {
      update(kernels, gradients, Math.max(from, matrices), to, 0, step);
    }
  }

  private void update(
      Kernels kernels, ParameterSet gradients, long from, long to, double decay, AdamWStep step) {
    kernels.adamW(
        weights.flat(),
        gradients.flat(),
        firstMoment.flat(),
        secondMoment.flat(),
        from,
        to,
        decay,
        step);
  }

  /** Bytes off the heap. */
  public long bytes() {
    return firstMoment.bytes() + secondMoment.bytes();
  }

  /** Frees the moments; closing twice is fine. */
  @Override
  public void close() {
    firstMoment.close();
    secondMoment.close();
  }
}
