package dev.spatz.training;

import java.util.Locale;
import org.apache.commons.math3.distribution.TDistribution;
import org.apache.commons.math3.stat.descriptive.SummaryStatistics;
import org.jspecify.annotations.Nullable;

/**
 * How well a model predicts a text, or the chosen ones of pairs of answers.
 *
 * @param tokens tokens that were predicted
 * @param textBytes bytes of UTF-8 text that they stand for
 * @param natsPerToken mean of −ln p over the tokens
 * @param margin half the width of the 95 % confidence interval of {@code natsPerToken}, from the
 *     spread of the means of the windows (Student's t); infinite for a single window
 * @param preferences how it judges the pairs of answers, or null where there are none
 */
public record Evaluation(
    long tokens,
    long textBytes,
    double natsPerToken,
    double margin,
    @Nullable PreferenceEvaluation preferences) {
  private static final double CONFIDENCE = 0.95;

  /** Of a text. */
  public Evaluation(long tokens, long textBytes, double natsPerToken, double margin) {
    this(tokens, textBytes, natsPerToken, margin, null);
  }

  /** The same with what is known of the pairs. */
  Evaluation withPreferences(PreferenceEvaluation value) {
    return new Evaluation(tokens, textBytes, natsPerToken, margin, value);
  }

  /** What training lowers: that of the pairs where there are some, else the nats per token. */
  public double loss() {
    return preferences == null ? natsPerToken : preferences.loss();
  }

  /** Gathers the losses of windows. */
  static Evaluation of(double[] windowLosses, int[] windowTokens, long textBytes) {
    SummaryStatistics means = new SummaryStatistics();
    double sum = 0;
    long tokens = 0;
    for (int window = 0; window < windowLosses.length; window++) {
      sum += windowLosses[window];
      tokens += windowTokens[window];
      means.addValue(windowLosses[window] / windowTokens[window]);
    }
    double margin = Double.POSITIVE_INFINITY;
    if (means.getN() > 1) {
      double quantile =
          new TDistribution(null, means.getN() - 1)
              .inverseCumulativeProbability((1 + CONFIDENCE) / 2);
      margin = quantile * means.getStandardDeviation() / Math.sqrt(means.getN());
    }
    return new Evaluation(tokens, textBytes, sum / tokens, margin);
  }

  /** Bits that the model needs for a byte of the text. */
  public double bitsPerByte() {
    return natsPerToken * tokens / Math.log(2) / textBytes;
  }

  /** Half the width of the 95 % confidence interval of {@link #bitsPerByte}. */
  public double bitsPerByteMargin() {
    return margin * tokens / Math.log(2) / textBytes;
  }

  /** {@code e} to the nats per token. */
  public double perplexity() {
    return Math.exp(natsPerToken);
  }

  @Override
  public String toString() {
    String interval =
        Double.isInfinite(margin) ? "" : String.format(Locale.ROOT, " ± %.4f", margin);
    String text =
        String.format(
            Locale.ROOT,
            "%.4f%s nats/token, %.4f bits/byte, perplexity %.2f over %,d tokens",
            natsPerToken,
            interval,
            bitsPerByte(),
            perplexity(),
            tokens);
    return preferences == null ? text : preferences + "; chosen answers: " + text;
  }
}
