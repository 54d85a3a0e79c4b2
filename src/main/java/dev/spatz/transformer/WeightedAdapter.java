package dev.spatz.transformer;

/**
 * An adapter among several that are used together: the sum of their updates, each times its weight,
 * is added to the model's matrices.
 *
 * @param weight 1 as it was trained; finite
 */
public record WeightedAdapter(LoraAdapter adapter, double weight) {
  /**
   * Checks the weight.
   *
   * @throws IllegalArgumentException if it is not finite
   */
  public WeightedAdapter {
    if (!Double.isFinite(weight)) {
      throw new IllegalArgumentException("weight (" + weight + ") of an adapter must be finite");
    }
  }

  /** The factor of {@code B·A}. */
  double scale() {
    return weight * adapter.config().scale();
  }
}
