package dev.spatz.transformer;

/**
 * Decides how much each target of a pass counts, once all their losses are known: for losses that
 * compare the probabilities of whole answers.
 */
public interface LossWeighting {
  /**
   * Weighs the targets.
   *
   * @param losses −ln p of each target (R), 0 where it is not counted
   * @param factors receives the derivative of the pass's loss by each of them (R)
   * @return the loss of the pass
   */
  double weigh(double[] losses, double[] factors);
}
