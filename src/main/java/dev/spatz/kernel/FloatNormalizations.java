package dev.spatz.kernel;

/**
 * Forward normalizations of a few rows, as decoding has them, in Java: for a row of less than a
 * thousand numbers a call of oneDNN takes longer than the work. A row's result does not depend on
 * the others.
 */
final class FloatNormalizations {
  /** Independent sums, since each addition waits for the one before. */
  private static final int LANES = 8;

  private final NativeFloats memory;
  private float[] values = new float[0];
  private float[] gains = new float[0];
  private float[] biases = new float[0];

  FloatNormalizations(NativeFloats memory) {
    this.memory = memory;
  }

  /** As {@link OneDnnNormalizations#forward}. */
  void forward(
      int rows,
      int columns,
      long x,
      long gain,
      long bias,
      double epsilon,
      long y,
      long mean,
      long inverse) {
    if (values.length != columns) {
      values = new float[columns];
      gains = new float[columns];
      biases = new float[columns];
    }
    memory.read(gain, gains, 0, columns);
    if (bias != 0) {
      memory.read(bias, biases, 0, columns);
    }
    for (int r = 0; r < rows; r++) {
      long offset = (long) Float.BYTES * r * columns;
      memory.read(x + offset, values, 0, columns);
      float center = 0;
      if (mean != 0) {
        center = (float) (sum(values) / columns);
        memory.put(mean + (long) Float.BYTES * r, center);
        subtract(values, center);
      }
      float factor = (float) (1 / Math.sqrt(sumOfSquares(values) / columns + epsilon));
      memory.put(inverse + (long) Float.BYTES * r, factor);
      scale(values, factor, gains);
      if (bias != 0) {
        add(values, biases);
      }
      memory.write(y + offset, values, 0, columns);
    }
  }

  private static double sum(float[] v) {
    float a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
    int whole = v.length - v.length % LANES;
    for (int i = 0; i < whole; i += LANES) {
      a += v[i];
      b += v[i + 1];
      c += v[i + 2];
      d += v[i + 3];
      e += v[i + 4];
      f += v[i + 5];
      g += v[i + 6];
      h += v[i + 7];
    }
    for (int i = whole; i < v.length; i++) {
      a += v[i];
    }
    return (double) a + b + c + d + e + f + g + h;
  }

  private static double sumOfSquares(float[] v) {
    float a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
    int whole = v.length - v.length % LANES;
    for (int i = 0; i < whole; i += LANES) {
      a += v[i] * v[i];
      b += v[i + 1] * v[i + 1];
      c += v[i + 2] * v[i + 2];
      d += v[i + 3] * v[i + 3];
      e += v[i + 4] * v[i + 4];
      f += v[i + 5] * v[i + 5];
      g += v[i + 6] * v[i + 6];
      h += v[i + 7] * v[i + 7];
    }
    for (int i = whole; i < v.length; i++) {
      a += v[i] * v[i];
    }
    return (double) a + b + c + d + e + f + g + h;
  }

  private static void subtract(float[] v, float value) {
    for (int i = 0; i < v.length; i++) {
      v[i] -= value;
    }
  }

  private static void scale(float[] v, float factor, float[] gains) {
    for (int i = 0; i < v.length; i++) {
      v[i] *= factor * gains[i];
    }
  }

  private static void add(float[] v, float[] biases) {
    for (int i = 0; i < v.length; i++) {
      v[i] += biases[i];
    }
  }
}
