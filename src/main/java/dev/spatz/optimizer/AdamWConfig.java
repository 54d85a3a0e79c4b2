package dev.spatz.optimizer;

/**
 * The numbers of AdamW that do not change from step to step.
 *
 * @param beta1 decay of the first moment, in [0, 1)
 * @param beta2 decay of the second moment, in [0, 1)
 * @param epsilon added to the root of the second moment; positive
 * @param weightDecay of matrices, relative to the learning rate; not negative
 */
public record AdamWConfig(double beta1, double beta2, double epsilon, double weightDecay)
    implements OptimizerConfig {
  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if one is out of its range
   */
  public AdamWConfig {
    require(beta1 >= 0 && beta1 < 1, "beta1", beta1, "must be at least 0 and below 1");
    require(beta2 >= 0 && beta2 < 1, "beta2", beta2, "must be at least 0 and below 1");
    require(epsilon > 0, "epsilon", epsilon, "must be positive");
    require(
        weightDecay >= 0 && weightDecay < Double.POSITIVE_INFINITY,
        "weightDecay",
        weightDecay,
        "must not be negative");
  }

  /** What nanoGPT uses for small models: 0.9, 0.99, 1e-8, decay 0.1. */
  public static AdamWConfig defaults() {
    return new AdamWConfig(0.9, 0.99, 1e-8, 0.1);
  }

  static void require(boolean holds, String name, double value, String rule) {
    if (!holds) {
      throw new IllegalArgumentException(name + " (" + value + ") " + rule);
    }
  }
}
