package dev.spatz.generation;

/**
 * "Exclude top choices" (p-e-w 2024): now and then, of all tokens at least as likely as a threshold
 * only the least likely can be drawn.
 *
 * @param probability that a draw is one of those; from 0 to 1, 0: off
 * @param threshold in (0, 0.5]: two tokens cannot both be likelier
 */
public record Xtc(double probability, double threshold) {
  /** Nothing is excluded; the threshold is the usual one. */
  public static final Xtc NONE = new Xtc(0, 0.1);

  /**
   * Checks each value.
   *
   * @throws IllegalArgumentException if one is out of its range
   */
  public Xtc {
    Require.probability("probability", probability);
    Require.that(
        threshold > 0 && threshold <= 0.5,
        "threshold",
        threshold,
        "must be above 0 and at most 0.5");
  }
}
