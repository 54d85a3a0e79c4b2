package dev.spatz.training;

import static dev.spatz.training.Requirements.require;

/**
 * How a model learns which of two answers is better, by direct preference optimization (DPO,
 * Rafailov et al. 2023). The reference is the model as it was before.
 *
 * <p>The loss of a pair is {@code −(1 − s)·ln σ(m) − s·ln σ(−m)} with the margin {@code m =
 * beta·(Δchosen − Δrejected)}, where Δ is how far the log-probability of the whole answer is above
 * that of the reference, and s is the label smoothing.
 *
 * @param beta how strongly the model is held to the reference; positive. Small ones let it go far;
 *     0.1 to 0.5 are usual for sums, 2 to 10 for means
 * @param labelSmoothing part of the pairs that may have the wrong order, 0 to below ½ (conservative
 *     DPO, Mitchell 2023)
 * @param lengthNormalized whether a log-probability is the mean over the answer's tokens instead of
 *     the sum: long answers then count no more than short ones, and a preference for long or short
 *     ones is learned less
 */
public record PreferenceConfig(double beta, double labelSmoothing, boolean lengthNormalized) {
  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if one is out of its range
   */
  public PreferenceConfig {
    boolean proper = beta > 0 && beta < Double.POSITIVE_INFINITY;
    require(proper, "beta", beta, "must be positive and finite");
    boolean smooth = labelSmoothing >= 0 && labelSmoothing < 0.5;
    require(smooth, "labelSmoothing", labelSmoothing, "must be at least 0 and below 0.5");
  }

  /** As published: beta 0.1, sums, no smoothing. */
  public static PreferenceConfig defaults() {
    return new PreferenceConfig(0.1, 0, false);
  }

  /** This configuration with another beta. */
  public PreferenceConfig withBeta(double value) {
    return new PreferenceConfig(value, labelSmoothing, lengthNormalized);
  }

  /** This configuration with another label smoothing. */
  public PreferenceConfig withLabelSmoothing(double value) {
    return new PreferenceConfig(beta, value, lengthNormalized);
  }

  /** This configuration with means instead of sums, or the other way round. */
  public PreferenceConfig withLengthNormalized(boolean value) {
    return new PreferenceConfig(beta, labelSmoothing, value);
  }

  /** The loss of a pair with a margin. */
  double loss(double margin) {
    return (1 - labelSmoothing) * softplus(-margin) + labelSmoothing * softplus(margin);
  }

  /** The derivative of {@link #loss} by the margin. */
  double slope(double margin) {
    return labelSmoothing * sigmoid(margin) - (1 - labelSmoothing) * sigmoid(-margin);
  }

  /** {@code ln(1 + eˣ)}, also where eˣ is too large. */
  private static double softplus(double x) {
    return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
  }

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }
}
