package dev.spatz.kernel;

/**
 * Rows of float32 as integers: weights in one int8 digit, inputs in two, {@code x ≈ scale·(256·high
 * + low)}. The sums of products of digits are exact, so they are the same bits however they are
 * computed. A row with a number that is not finite has a scale that is not finite.
 */
final class Int8 {
  /** What the higher digit of an input counts for. */
  static final int BASE = 256;

  private static final float LARGEST = Byte.MAX_VALUE;

  /** Rows of smaller numbers than this are zero, so that no scale's inverse is infinite. */
  private static final float LEAST = 1e-30f;

  private Int8() {}

  /** Rounds a row of weights; returns its scale. */
  static float weights(float[] row, int count, byte[] digits) {
    float most = largest(row, count);
    float inverse = most < LEAST ? 0 : LARGEST / most;
    for (int i = 0; i < count; i++) {
      digits[i] = (byte) Math.rint(row[i] * inverse);
    }
    return most / LARGEST;
  }

  /** Rounds a row of inputs; returns the scale of the lower digit. */
  static float inputs(float[] row, int count, byte[] high, byte[] low) {
    float most = largest(row, count);
    float inverse = most < LEAST ? 0 : LARGEST * BASE / most;
    for (int i = 0; i < count; i++) {
      int digits = round(row[i] * inverse);
      int upper = (digits + BASE / 2) >> Byte.SIZE;
      high[i] = (byte) upper;
      low[i] = (byte) (digits - (upper << Byte.SIZE));
    }
    return most / (LARGEST * BASE);
  }

  private static float largest(float[] row, int count) {
    float most = 0;
    for (int i = 0; i < count; i++) {
      most = Math.max(most, Math.abs(row[i]));
    }
    return most;
  }

  /** To the nearest integer: near 1.5·2²³ there are no other floats. */
  private static int round(float value) {
    return (int) (value + 12_582_912f - 12_582_912f);
  }
}
