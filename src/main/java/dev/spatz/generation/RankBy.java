package dev.spatz.generation;

import java.util.function.ToDoubleBiFunction;

/**
 * What candidates are ranked by. {@code ln p} is the log-probability of a candidate after the
 * prefix; the longer a text, the lower it is, so texts of different lengths are often compared by a
 * mean.
 */
public enum RankBy {
  /** {@code ln p}: the likeliest first. */
  SUM((score, alone) -> score.logProbability()),
  /** {@code ln p} a token. */
  PER_TOKEN((score, alone) -> score.logProbability() / score.tokens().size()),
  /** {@code ln p} a byte of UTF-8, which does not depend on the tokenizer. */
  PER_BYTE((score, alone) -> score.logProbability() / Math.max(1, score.textBytes())),
  /**
   * {@code ln p} less the log-probability of the candidate without the prefix: how much likelier
   * the prefix makes it (pointwise mutual information, Holtzman et al. 2021), whatever is common in
   * any case. Reads each candidate twice.
   */
  GAIN((score, alone) -> score.logProbability() - alone.logProbability());

  private final ToDoubleBiFunction<TextScore, TextScore> value;

  RankBy(ToDoubleBiFunction<TextScore, TextScore> value) {
    this.value = value;
  }

  /** The value of a candidate; {@code alone} is its score without the prefix, if that counts. */
  double value(TextScore score, TextScore alone) {
    return value.applyAsDouble(score, alone);
  }
}
