package dev.spatz.checkpoint;

import java.nio.ByteBuffer;

/**
 * How an exported GGUF file stores its matrices. Vectors (gains and biases) and learned positions
 * are float32 in all of them.
 */
public enum GgufType {
  /** IEEE 754 binary32, 4 bytes a weight: nothing is lost. */
  F32(0, 0, 1, Float.BYTES),
  /** IEEE 754 binary16, 2 bytes a weight. */
  F16(1, 1, 1, Short.BYTES),
  /**
   * Blocks of 32 weights of a row: a binary16 scale, and 32 integers of 8 bits; 1.06 bytes a
   * weight. Matrices whose rows are not whole blocks are {@link #F16}.
   */
  Q8_0(8, 7, 32, Short.BYTES + 32);

  private static final int LARGEST_QUANT = 127;

  private final int code;
  private final int fileType;
  private final int blockElements;
  private final int blockBytes;

  GgufType(int code, int fileType, int blockElements, int blockBytes) {
    this.code = code;
    this.fileType = fileType;
    this.blockElements = blockElements;
    this.blockBytes = blockBytes;
  }

  /** The number of the type in a tensor's description. */
  int code() {
    return code;
  }

  /** The value of {@code general.file_type} of a file that is mostly of this type. */
  int fileType() {
    return fileType;
  }

  /** This type, or the one that rows of this many elements can have instead. */
  GgufType forRowsOf(long elements) {
    return elements % blockElements == 0 ? this : F16;
  }

  /** Bytes of so many elements, which are whole blocks. */
  long bytes(long elements) {
    return Math.multiplyExact(elements / blockElements, blockBytes);
  }

  /**
   * Puts elements into a little-endian buffer.
   *
   * @param count a multiple of the block
   * @throws ArithmeticException if a value is finite and not within the type's range, or the type
   *     has blocks and one holds a value that is not finite
   */
  void put(float[] values, int count, ByteBuffer into) {
    switch (this) {
      case F32 -> {
        for (int i = 0; i < count; i++) {
          into.putFloat(values[i]);
        }
      }
      case F16 -> {
        for (int i = 0; i < count; i++) {
          into.putShort(half(values[i]));
        }
      }
      case Q8_0 -> {
        for (int block = 0; block < count; block += blockElements) {
          putQuantized(values, block, into);
        }
      }
    }
  }

  /** Scale d = max|x| / 127, then round(x / d); the scale that is stored is rounded to binary16. */
  private void putQuantized(float[] values, int from, ByteBuffer into) {
    float largest = 0;
    for (int i = from; i < from + blockElements; i++) {
      if (!Float.isFinite(values[i])) {
        throw new ArithmeticException("the value " + values[i]);
      }
      largest = Math.max(largest, Math.abs(values[i]));
    }
    float scale = largest / LARGEST_QUANT;
    float inverse = scale == 0 ? 0 : 1 / scale;
    if (Float.isInfinite(inverse)) {
      inverse = 0; // the scale is below binary16's smallest number anyway
    }
    into.putShort(half(scale));
    for (int i = from; i < from + blockElements; i++) {
      float quant = values[i] * inverse;
      into.put((byte) (quant < 0 ? -Math.round(-quant) : Math.round(quant)));
    }
  }

  /** The nearest binary16 number, to even where two are equally near. */
  private static short half(float value) {
    int sign = Float.floatToRawIntBits(value) >>> 16 & 0x8000;
    float magnitude = Math.abs(value);
    int bits;
    if (Float.isNaN(value)) {
      bits = 0x7E00;
    } else if (Float.isInfinite(value)) {
      bits = 0x7C00;
    } else if (magnitude < 0x1p-14f) {
      bits = (int) Math.rint(magnitude * 0x1p24); // one more than the fraction's largest is 2^-14
    } else {
      int exponent = Math.getExponent(magnitude);
      // The leading one, 0x400, adds itself to the exponent, and so does what rounding carries.
      int fraction = (int) Math.rint(Math.scalb((double) magnitude, 10 - exponent));
      bits = (exponent + 14 << 10) + fraction;
      if (bits >= 0x7C00) {
        throw new ArithmeticException("the value " + value);
      }
    }
    return (short) (sign | bits);
  }
}
