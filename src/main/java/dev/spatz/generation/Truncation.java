package dev.spatz.generation;

/**
 * Which tokens can be drawn at all. Each rule looks at what the ones before it have left, and
 * leaves at least one token.
 *
 * @param topNSigma only tokens whose logits are within this many standard deviations of the largest
 *     one (Tang et al. 2024); 0: all
 * @param topK only the k likeliest tokens; 0: all
 * @param typicalP only the tokens whose surprise is nearest to the expected one, until their
 *     probabilities add up to this (Meister et al. 2022); in (0, 1], 1: all
 * @param topP only the likeliest tokens whose probabilities add up to this (Holtzman et al. 2020);
 *     in (0, 1], 1: all
 * @param minP only tokens at least this times as likely as the likeliest (Nguyen et al. 2024); from
 *     0 to 1, 0: all
 */
public record Truncation(double topNSigma, int topK, double typicalP, double topP, double minP) {
  /** Every token can be drawn. */
  public static final Truncation NONE = new Truncation(0, 0, 1, 1, 0);

  /**
   * Checks each value.
   *
   * @throws IllegalArgumentException if one is out of its range
   */
  public Truncation {
    Require.that(
        topNSigma >= 0 && topNSigma < Double.POSITIVE_INFINITY,
        "topNSigma",
        topNSigma,
        "must be finite and not negative (0 for all)");
    Require.that(topK >= 0, "topK", topK, "must not be negative (0 for all tokens)");
    Require.that(
        typicalP > 0 && typicalP <= 1,
        "typicalP",
        typicalP,
        "must be above 0 and at most 1 (1 for all)");
    Require.that(topP > 0 && topP <= 1, "topP", topP, "must be above 0 and at most 1 (1 for all)");
    Require.probability("minP", minP);
  }

  /** This truncation with another number of standard deviations. */
  public Truncation withTopNSigma(double value) {
    return new Truncation(value, topK, typicalP, topP, minP);
  }

  /** This truncation with another number of likeliest tokens. */
  public Truncation withTopK(int value) {
    return new Truncation(topNSigma, value, typicalP, topP, minP);
  }

  /** This truncation with another probability of typical tokens. */
  public Truncation withTypicalP(double value) {
    return new Truncation(topNSigma, topK, value, topP, minP);
  }

  /** This truncation with another sum of probabilities. */
  public Truncation withTopP(double value) {
    return new Truncation(topNSigma, topK, typicalP, value, minP);
  }

  /** This truncation with another least ratio to the likeliest. */
  public Truncation withMinP(double value) {
    return new Truncation(topNSigma, topK, typicalP, topP, value);
  }
}
