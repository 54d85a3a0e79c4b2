package dev.spatz.kernel;

/**
 * What surrounds a product of int8 matrices: its inputs' digits, the row's higher ones before its
 * lower ones, and the results from the sums of both.
 */
final class Int8Rows {
  private final NativeFloats memory;
  private float[] row = new float[0];
  private float[] other = new float[0];
  private byte[] high = new byte[0];
  private byte[] low = new byte[0];
  private float[] inputScales = new float[0];

  Int8Rows(NativeFloats memory) {
    this.memory = memory;
  }

  /** Rounds weights (R,I) to digits (R,I); writes the rows' scales from {@code first} on. */
  void weights(long from, int rows, int inputs, long digits, float[] scales, int first) {
    reserve(rows, inputs);
    for (int r = 0; r < rows; r++) {
      memory.read(from + (long) Float.BYTES * r * inputs, row, 0, inputs);
      scales[first + r] = Int8.weights(row, inputs, high);
      memory.writeBytes(digits + (long) r * inputs, high, inputs);
    }
  }

  /** Splits inputs (R,I) into digits (2R,I). */
  void split(long x, int rows, int inputs, long digits) {
    reserve(rows, inputs);
    for (int r = 0; r < rows; r++) {
      memory.read(x + (long) Float.BYTES * r * inputs, row, 0, inputs);
      inputScales[r] = Int8.inputs(row, inputs, high, low);
      memory.writeBytes(digits + 2L * r * inputs, high, inputs);
      memory.writeBytes(digits + (2L * r + 1) * inputs, low, inputs);
    }
  }

  /**
   * The results of the inputs that were split last.
   *
   * @param sums of the digits (2R,O)
   * @param scales of the weights, the first output's at {@code first}
   * @param bias (O), or 0
   * @param residual rows of O, {@code stride} elements apart, or 0
   * @param y as the residual
   */
  void join(
      long sums,
      int rows,
      int outputs,
      float[] scales,
      int first,
      long bias,
      long residual,
      long y,
      long stride) {
    for (int at = 0; at < outputs; at += NativeFloats.BLOCK) {
      int count = Math.min(NativeFloats.BLOCK, outputs - at);
      reserve(rows, count);
      for (int r = 0; r < rows; r++) {
        long sum = sums + Float.BYTES * (2L * r * outputs + at);
        long offset = Float.BYTES * (r * stride + at);
        memory.read(sum, row, 0, count);
        memory.read(sum + (long) Float.BYTES * outputs, other, 0, count);
        join(count, inputScales[r], scales, first + at);
        if (bias != 0) {
          add(bias + (long) Float.BYTES * at, count);
        }
        if (residual != 0) {
          add(residual + offset, count);
        }
        memory.write(y + offset, row, 0, count);
      }
    }
  }

  private void join(int count, float inputScale, float[] scales, int first) {
    float[] a = row;
    float[] b = other;
    for (int i = 0; i < count; i++) {
      a[i] = (Int8.BASE * a[i] + b[i]) * (inputScale * scales[first + i]);
    }
  }

  private void add(long from, int count) {
    memory.read(from, other, 0, count);
    float[] a = row;
    float[] b = other;
    for (int i = 0; i < count; i++) {
      a[i] += b[i];
    }
  }

  private void reserve(int rows, int width) {
    if (row.length < width) {
      row = new float[width];
      other = new float[width];
      high = new byte[width];
      low = new byte[width];
    }
    if (inputScales.length < rows) {
      inputScales = new float[rows];
    }
  }
}
