package dev.spatz.kernel;

import java.util.Locale;

/**
 * How rows of queries, keys and values are cut into heads.
 *
 * @param time T, positions of a sequence
 * @param heads H, query heads
 * @param keyValueHeads G, key and value heads; divides H
 * @param headSize D
 */
public record AttentionShape(int time, int heads, int keyValueHeads, int headSize) {
  /**
   * Checks the sizes.
   *
   * @throws IllegalArgumentException if one is not positive, or G does not divide H
   */
  public AttentionShape {
    if (time < 1 || heads < 1 || keyValueHeads < 1 || headSize < 1) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "time (%d), heads (%d), keyValueHeads (%d) and headSize (%d) must be positive",
              time,
              heads,
              keyValueHeads,
              headSize));
    }
    if (heads % keyValueHeads != 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "keyValueHeads (%d) must divide heads (%d)", keyValueHeads, heads));
    }
  }

  /** Query heads that share one key/value head. */
  public int group() {
    return heads / keyValueHeads;
  }

  /** Width of a row of queries, keys and values: (H+2G)·D. */
  public int rowWidth() {
    return (heads + 2 * keyValueHeads) * headSize;
  }

  /** The factor of the scores, 1/√D. */
  public double scale() {
    return 1 / Math.sqrt(headSize);
  }
}
