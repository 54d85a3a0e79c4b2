package dev.spatz.training;

import java.util.Locale;
import org.apache.commons.math3.stat.interval.ConfidenceInterval;
import org.apache.commons.math3.stat.interval.IntervalUtils;

/**
 * How a model judges pairs of answers. Log-probabilities are of whole answers, sums over their
 * tokens, or means where {@link PreferenceConfig#lengthNormalized} says so.
 *
 * @param pairs that were judged
 * @param preferred pairs whose chosen answer the model finds likelier than the rejected one
 * @param improved pairs whose chosen answer has gained more than the rejected one since the
 *     reference; none where the model is the reference itself
 * @param loss mean of the pairs' losses
 * @param margin mean of beta times what the chosen answer has gained more
 * @param chosen mean log-probability of the chosen answers
 * @param rejected mean log-probability of the rejected answers
 */
public record PreferenceEvaluation(
    long pairs,
    long preferred,
    long improved,
    double loss,
    double margin,
    double chosen,
    double rejected) {
  private static final double CONFIDENCE = 0.95;

  /** The part of the pairs whose chosen answer the model finds likelier. */
  public double accuracy() {
    return (double) preferred / pairs;
  }

  /** The 95 % confidence interval of {@link #accuracy} (Wilson 1927). */
  public ConfidenceInterval accuracyInterval() {
    return IntervalUtils.getWilsonScoreInterval(
        Math.toIntExact(pairs), Math.toIntExact(preferred), CONFIDENCE);
  }

  /** The part of the pairs whose chosen answer has gained more than the rejected one. */
  public double improvedAccuracy() {
    return (double) improved / pairs;
  }

  @Override
  public String toString() {
    ConfidenceInterval interval = accuracyInterval();
    return String.format(
        Locale.ROOT,
        "chosen preferred in %.1f %% (%.1f to %.1f) of %,d pairs, loss %.4f, margin %.3f,"
            + " log-probability %.2f chosen, %.2f rejected",
        100 * accuracy(),
        100 * interval.getLowerBound(),
        100 * interval.getUpperBound(),
        pairs,
        loss,
        margin,
        chosen,
        rejected);
  }
}
