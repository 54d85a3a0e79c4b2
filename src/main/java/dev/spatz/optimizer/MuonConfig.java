package dev.spatz.optimizer;

import static dev.spatz.optimizer.AdamWConfig.require;

/**
 * The numbers of Muon (Jordan et al. 2024) for the linear maps of the layers, and of AdamW for all
 * other parameters: embeddings, head, gains and biases.
 *
 * @param momentum decay of the moment, 0…1
 * @param rateFactor the linear maps' learning rate is so many times the other parameters'
 * @param weightDecay decay of the linear maps
 * @param rest for the other parameters
 */
public record MuonConfig(double momentum, double rateFactor, double weightDecay, AdamWConfig rest)
    implements OptimizerConfig {

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if one is out of its range
   */
  public MuonConfig {
    require(momentum >= 0 && momentum < 1, "momentum", momentum, "must be at least 0 and below 1");
    require(
        rateFactor > 0 && rateFactor < Double.POSITIVE_INFINITY,
        "rateFactor",
        rateFactor,
        "must be positive and finite");
    require(
        weightDecay >= 0 && weightDecay < Double.POSITIVE_INFINITY,
        "weightDecay",
        weightDecay,
        "must not be negative");
  }

  /** What small models learn the most with. */
  public static MuonConfig defaults() {
    return new MuonConfig(0.9, 1.25, 0.1, new AdamWConfig(0.8, 0.95, 1e-10, 0.1));
  }
}
