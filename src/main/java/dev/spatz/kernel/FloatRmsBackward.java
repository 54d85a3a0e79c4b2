package dev.spatz.kernel;

import java.util.Arrays;

/** The backward of root-mean-square normalization in float32, as Java loops over blocks of rows. */
final class FloatRmsBackward {
  private final NativeFloats memory;
  private float[] dY = new float[0];
  private float[] x = new float[0];
  private float[] dX = new float[0];
  private float[] inverses = new float[0];
  private float[] gains = new float[0];
  private float[] dGains = new float[0];

  FloatRmsBackward(NativeFloats memory) {
    this.memory = memory;
  }

  /** Adds to dX and to dGain, whose address is 0 if it is not wanted. */
  void apply(
      int rows,
      int columns,
      long dYAt,
      long xAt,
      long gainAt,
      long inverseAt,
      long dXAt,
      long dGainAt) {
    int block = Math.max(1, NativeFloats.BLOCK / columns);
    room(block, columns);
    memory.read(gainAt, gains, 0, columns);
    Arrays.fill(dGains, 0, columns, 0);
    for (int from = 0; from < rows; from += block) {
      int count = Math.min(block, rows - from);
      long offset = 4L * from * columns;
      memory.read(dYAt + offset, dY, 0, count * columns);
      memory.read(xAt + offset, x, 0, count * columns);
      memory.read(dXAt + offset, dX, 0, count * columns);
      memory.read(inverseAt + 4L * from, inverses, 0, count);
      for (int r = 0; r < count; r++) {
        addRow(r * columns, columns, inverses[r]);
      }
      memory.write(dXAt + offset, dX, 0, count * columns);
    }
    if (dGainAt != 0) {
      memory.read(dGainAt, gains, 0, columns);
      for (int i = 0; i < columns; i++) {
        gains[i] += dGains[i];
      }
      memory.write(dGainAt, gains, 0, columns);
    }
  }

  /** {@code dX += (d − n·mean(d·n)) / rms} with d = dY·gain and n = x/rms. */
  private void addRow(int at, int columns, float inverse) {
    for (int i = 0; i < columns; i++) {
      dGains[i] += dY[at + i] * x[at + i] * inverse;
    }
    for (int i = 0; i < columns; i++) {
      dY[at + i] *= gains[i];
    }
    float mean = dot(dY, x, at, columns) * inverse * inverse / columns;
    for (int i = 0; i < columns; i++) {
      dX[at + i] += inverse * (dY[at + i] - mean * x[at + i]);
    }
  }

  /** In eight sums, because each addition waits for the one before. */
  static float dot(float[] a, float[] b, int from, int count) {
    float sum0 = 0;
    float sum1 = 0;
    float sum2 = 0;
    float sum3 = 0;
    float sum4 = 0;
    float sum5 = 0;
    float sum6 = 0;
    float sum7 = 0;
    int i = from;
    int end = from + count;
    for (; i + 7 < end; i += 8) {
      sum0 += a[i] * b[i];
      sum1 += a[i + 1] * b[i + 1];
      sum2 += a[i + 2] * b[i + 2];
      sum3 += a[i + 3] * b[i + 3];
      sum4 += a[i + 4] * b[i + 4];
      sum5 += a[i + 5] * b[i + 5];
      sum6 += a[i + 6] * b[i + 6];
      sum7 += a[i + 7] * b[i + 7];
    }
    for (; i < end; i++) {
      sum0 += a[i] * b[i];
    }
    return (sum0 + sum1) + (sum2 + sum3) + ((sum4 + sum5) + (sum6 + sum7));
  }

  private void room(int rows, int columns) {
    if (dY.length < rows * columns) {
      dY = new float[rows * columns];
      x = new float[rows * columns];
      dX = new float[rows * columns];
    }
    if (inverses.length < rows) {
      inverses = new float[rows];
    }
    if (gains.length < columns) {
      gains = new float[columns];
      dGains = new float[columns];
    }
  }
}
