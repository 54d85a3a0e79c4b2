package dev.spatz.dataset;

import java.util.Locale;

/**
 * An example to learn from: tokens, and which of them the model is to predict.
 *
 * @param ids of all tokens, at least 2
 * @param predicted which of them count in the loss, as many; the first never does, since nothing
 *     comes before it, and at least one other does
 */
public record EncodedExample(int[] ids, boolean[] predicted) {
  /**
   * Checks and copies the arrays.
   *
   * @throws IllegalArgumentException if they differ in length, or nothing is to be predicted
   */
  public EncodedExample {
    if (ids.length != predicted.length) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "ids (%d) and predicted (%d) must be as many",
              ids.length,
              predicted.length));
    }
    ids = ids.clone();
    predicted = predicted.clone();
    if (targets(predicted) == 0) {
      throw new IllegalArgumentException(
          "an example of " + ids.length + " tokens has nothing to predict");
    }
  }

  /** The number of tokens that are predicted. */
  int targets() {
    return targets(predicted);
  }

  private static int targets(boolean[] predicted) {
    int targets = 0;
    for (int i = 1; i < predicted.length; i++) {
      targets += predicted[i] ? 1 : 0;
    }
    return targets;
  }
}
