package dev.spatz.kernel;

/** Rows of float32 as bfloat16 numbers: their upper 16 bits, the lower byte first. */
final class Bf16 {
  private static final int HALF = 0x7FFF;
  private static final int UPPER = 0xFFFF0000;

  private Bf16() {}

  /** To the nearest, of two as near to the even one; not a number stays so. */
  static float round(float value) {
    if (Float.isNaN(value)) {
      return value;
    }
    int bits = Float.floatToRawIntBits(value);
    return Float.intBitsToFloat((bits + HALF + (bits >>> Short.SIZE & 1)) & UPPER);
  }

  /** Rounds a row. */
  static void round(float[] row, int count, byte[] bytes) {
    for (int i = 0; i < count; i++) {
      int bits = Float.floatToRawIntBits(round(row[i]));
      bytes[2 * i] = (byte) (bits >>> Short.SIZE);
      bytes[2 * i + 1] = (byte) (bits >>> Short.SIZE + Byte.SIZE);
    }
  }

  /** The row that was rounded. */
  static void widen(byte[] bytes, int count, float[] row) {
    for (int i = 0; i < count; i++) {
      int lower = bytes[2 * i] & 0xFF;
      row[i] = Float.intBitsToFloat((bytes[2 * i + 1] << Byte.SIZE | lower) << Short.SIZE);
    }
  }
}
