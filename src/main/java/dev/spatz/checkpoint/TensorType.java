package dev.spatz.checkpoint;

import java.nio.ByteBuffer;

/**
 * The element types of safetensors files, in that format's order. Values of {@link #F16}, {@link
 * #BF16}, {@link #F32} and {@link #F64} can be read, of the last two also written; tensors of other
 * types may stand in a file, but nothing here needs their values.
 */
enum TensorType {
  BOOL(8),
  F4(4),
  F6_E2M3(6),
  F6_E3M2(6),
  U8(8),
  I8(8),
  F8_E5M2(8),
  F8_E4M3(8),
  F8_E8M0(8),
  F8_E4M3FNUZ(8),
  F8_E5M2FNUZ(8),
  I16(16),
  U16(16),
  F16(16),
  BF16(16),
  I32(32),
  U32(32),
  F32(32),
  C64(64),
  F64(64),
  I64(64),
  U64(64);

  private final int bits;

  TensorType(int bits) {
    this.bits = bits;
  }

  /** Size of an element in bits. */
  int bits() {
    return bits;
  }

  /** Size of an element in bytes, of types that can be read. */
  int bytes() {
    return bits / Byte.SIZE;
  }

  boolean readable() {
    return switch (this) {
      case F16, BF16, F32, F64 -> true;
      default -> false;
    };
  }

  /** Takes {@code count} elements from a little-endian buffer; no type loses digits. */
  void get(ByteBuffer from, double[] into, int offset, int count) {
    int end = offset + count;
    switch (this) {
      case F16 -> {
        for (int i = offset; i < end; i++) {
          into[i] = half(from.getShort());
        }
      }
      case BF16 -> {
        for (int i = offset; i < end; i++) {
          into[i] = Float.intBitsToFloat(from.getShort() << 16);
        }
      }
      case F32 -> {
        for (int i = offset; i < end; i++) {
          into[i] = from.getFloat();
        }
      }
      case F64 -> {
        for (int i = offset; i < end; i++) {
          into[i] = from.getDouble();
        }
      }
      default -> throw new IllegalArgumentException("values of type " + this + " are not read");
    }
  }

  /**
   * Puts {@code count} elements into a little-endian buffer, rounded where the type is narrower.
   */
  void put(double[] values, int offset, int count, ByteBuffer into) {
    int end = offset + count;
    switch (this) {
      case F32 -> {
        for (int i = offset; i < end; i++) {
          into.putFloat((float) values[i]);
        }
      }
      case F64 -> {
        for (int i = offset; i < end; i++) {
          into.putDouble(values[i]);
        }
      }
      default -> throw new IllegalArgumentException("values of type " + this + " are not written");
    }
  }

  /** IEEE 754 binary16: 1 bit sign, 5 bits exponent (bias 15), 10 bits fraction. */
  private static double half(short bits) {
    int exponent = bits >> 10 & 0x1F;
    int fraction = bits & 0x3FF;
    double magnitude =
        switch (exponent) {
          case 0 -> fraction * 0x1p-24;
          case 0x1F -> fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
          default -> Math.scalb((double) (fraction | 0x400), exponent - 25);
        };
    return bits < 0 ? -magnitude : magnitude;
  }
}
