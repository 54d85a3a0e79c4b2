package dev.spatz.checkpoint;

import java.util.List;

/**
 * A tensor of a safetensors file.
 *
 * @param name unique in its file
 * @param type of its elements, which lie in row-major order
 * @param shape none for a single element
 * @param begin first byte, counted from the end of the header
 * @param end byte after the last
 */
record TensorInfo(String name, TensorType type, List<Long> shape, long begin, long end) {
  TensorInfo {
    shape = List.copyOf(shape);
  }

  /** A tensor that is to be written; its place is not known yet. */
  static TensorInfo of(String name, TensorType type, List<Long> shape) {
    return new TensorInfo(name, type, shape, 0, 0);
  }

  TensorInfo at(long offset) {
    return new TensorInfo(name, type, shape, offset, Math.addExact(offset, bytes()));
  }

  /**
   * The number of elements.
   *
   * @throws ArithmeticException if it is beyond 2⁶³ − 1
   */
  long elements() {
    return shape.stream().reduce(1L, Math::multiplyExact);
  }

  /**
   * The number of bytes that shape and type ask for, a part of a byte dropped.
   *
   * @throws ArithmeticException if the number of bits is beyond 2⁶³ − 1
   */
  long bytes() {
    return bits() / Byte.SIZE;
  }

  /**
   * The number of bits that shape and type ask for.
   *
   * @throws ArithmeticException if it is beyond 2⁶³ − 1
   */
  long bits() {
    return Math.multiplyExact(elements(), type.bits());
  }
}
