package dev.spatz.generation;

/** Logits → natural logarithms of probabilities. */
final class LogSoftmax {
  private LogSoftmax() {}

  /**
   * The log-probability of one token.
   *
   * @throws IllegalStateException if the logits are not finite
   */
  static double of(float[] logits, int id) {
    return logits[id] - logSum(logits);
  }

  /**
   * The logarithm of the sum of the logits' exponentials.
   *
   * @throws IllegalStateException if it is not finite
   */
  static double logSum(float[] logits) {
    float largest = Float.NEGATIVE_INFINITY;
    for (float logit : logits) {
      largest = Math.max(largest, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - largest);
    }
    double logSum = largest + Math.log(sum);
    if (!Double.isFinite(logSum)) {
      throw new IllegalStateException("the model's logits are not all finite; its weights are bad");
    }
    return logSum;
  }
}
