package dev.spatz.kernel;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A matrix (O,I) of bfloat16 or int8 numbers, row by row, off the heap: weights that stay as they
 * are, and are widened again wherever they are used, see {@link Kernels#widen}. Read by any number
 * of threads at once, and closed by its owner.
 */
public final class RoundedMatrix implements AutoCloseable {
  final int rows;
  final int columns;
  final WeightPrecision precision;
  private final NativeBuffer memory;
  private final long scales;

  private RoundedMatrix(int rows, int columns, WeightPrecision precision) {
    this.rows = rows;
    this.columns = columns;
    this.precision = precision;
    this.scales = NativeBuffer.aligned((long) precision.bytes() * rows * columns);
    boolean scaled = precision == WeightPrecision.INT8;
    this.memory = new NativeBuffer(scales + (scaled ? (long) Float.BYTES * rows : 0));
  }

  /**
   * Rounds a matrix, as {@link WeightPrecision} says; the caller closes the copy.
   *
   * @throws IllegalArgumentException if the precision is float32, which rounds nothing
   */
  public static RoundedMatrix of(INDArray matrix, WeightPrecision precision) {
    if (precision == WeightPrecision.FLOAT32) {
      throw new IllegalArgumentException("precision (FLOAT32) must be BF16 or INT8: it rounds");
    }
    int columns = (int) matrix.size(1);
    RoundedMatrix rounded = new RoundedMatrix((int) matrix.size(0), columns, precision);
    NativeFloats memory = new NativeFloats();
    float[] row = new float[columns];
    byte[] bytes = new byte[precision.bytes() * columns];
    for (int r = 0; r < rounded.rows; r++) {
      Tensors.read(matrix, (long) r * columns, row, 0, columns);
      if (precision == WeightPrecision.INT8) {
        memory.put(rounded.scales() + (long) Float.BYTES * r, Int8.weights(row, columns, bytes));
      } else {
        Bf16.round(row, columns, bytes);
      }
      memory.writeBytes(rounded.address() + (long) r * bytes.length, bytes, bytes.length);
    }
    return rounded;
  }

  /** Writes it into a matrix (O,I), float32 or float64. */
  public void copyTo(INDArray matrix) {
    NativeFloats memory = new NativeFloats();
    float[] row = new float[columns];
    byte[] bytes = new byte[precision.bytes() * columns];
    for (int r = 0; r < rows; r++) {
      memory.readBytes(address() + (long) r * bytes.length, bytes, bytes.length);
      if (precision == WeightPrecision.INT8) {
        float scale = memory.get(scales() + (long) Float.BYTES * r);
        for (int i = 0; i < columns; i++) {
          row[i] = scale * bytes[i];
        }
      } else {
        Bf16.widen(bytes, columns, row);
      }
      Tensors.write(matrix, (long) r * columns, row, 0, columns);
    }
  }

  /** O. */
  public int rows() {
    return rows;
  }

  /** I. */
  public int columns() {
    return columns;
  }

  /** Where its numbers begin. */
  long address() {
    return memory.address();
  }

  /** Where the scales (O) of an int8 matrix begin. */
  long scales() {
    return memory.address() + scales;
  }

  /** Bytes off the heap. */
  public long bytes() {
    return memory.bytes();
  }

  /** Frees the memory; closing twice is fine. */
  @Override
  public void close() {
    memory.close();
  }
}
