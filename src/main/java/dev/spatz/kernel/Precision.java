package dev.spatz.kernel;

import java.util.Locale;

/**
 * The type in which a training's matrix products read their operands. Whatever it is, weights,
 * their gradients, the optimizer, the residual stream, sums, statistics, logits and losses are
 * float32.
 */
public enum Precision {
  /** All is float32. */
  FLOAT32,
  /**
   * Operands are bfloat16 (8 bits of precision, the range of float32), sums float32: twice to six
   * times as fast where the processor has instructions for it. Each step rounds a copy of the
   * weights; the results of normalizations, linear maps, activations and attention, and their
   * gradients, are kept rounded.
   */
  BF16,
  /** {@link #BF16} where it is possible and the model is large enough to gain by it. */
  AUTO;

  /**
   * Channels below which a model gains nothing: its time goes into other things than matrix
   * products.
   */
  private static final int LEAST_CHANNELS = 128;

  /**
   * What this precision is for a model on this machine, never {@link #AUTO}.
   *
   * @param channels width of the model's residual stream
   * @throws IllegalStateException if this is {@link #BF16}, and the kernels or the processor cannot
   */
  public Precision resolve(KernelBackend kernels, int channels) {
    String obstacle = bf16Obstacle(kernels);
    if (this == BF16 && !obstacle.isEmpty()) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT, "precision (BF16) is not possible: %s; take FLOAT32 or AUTO", obstacle));
    }
    if (this == AUTO) {
      return obstacle.isEmpty() && channels >= LEAST_CHANNELS ? BF16 : FLOAT32;
    }
    return this;
  }

  /** Why bfloat16 is not possible; empty if it is. */
  private static String bf16Obstacle(KernelBackend kernels) {
    if (kernels != KernelBackend.ONEDNN) {
      return "the kernels " + kernels + " compute with float32 only";
    }
    return OneDnn.multipliesBf16() ? "" : "this processor has no instructions for it";
  }
}
