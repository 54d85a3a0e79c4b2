package dev.spatz.kernel;

import java.util.Locale;

/**
 * The type in which matrices are read for inference. Memory is what a token takes its time from, so
 * fewer bytes are more tokens. Sums, normalizations, activations, attention, embeddings and logits
 * are float32 whatever it is.
 */
public enum WeightPrecision {
  /** As they were trained. */
  FLOAT32(Float.BYTES),

  /** Matrices and their inputs rounded to bfloat16 (8 bits of precision). */
  BF16(Short.BYTES),

  /**
   * Symmetric int8: {@code weight ≈ scale·q}, q from −127 to 127, one scale an output row. Inputs
   * keep 16 bits: each row is split into two int8 digits, whose sums are exact.
   */
  INT8(Byte.BYTES);

  private final int bytes;

  WeightPrecision(int bytes) {
    this.bytes = bytes;
  }

  /** Bytes of a weight. */
  public int bytes() {
    return bytes;
  }

  /**
   * Checks that kernels and processor can.
   *
   * @throws IllegalStateException if they cannot; the message says why
   */
  public void require(KernelBackend kernels) {
    if (kernels == KernelBackend.ONEDNN && !supported()) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "precision (%s) is not possible: this processor has no instructions for it;"
                  + " take FLOAT32",
              this));
    }
  }

  private boolean supported() {
    return switch (this) {
      case FLOAT32 -> true;
      case BF16 -> OneDnn.multipliesBf16();
      case INT8 -> OneDnn.multipliesInt8();
    };
  }
}
