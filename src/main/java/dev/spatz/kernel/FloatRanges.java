package dev.spatz.kernel;

import java.util.Arrays;

/** Operations on ranges of flat float32 arrays, as Java loops over a block at a time. */
final class FloatRanges {
  /** Sums of squares that are made side by side. */
  private static final int LANES = 256;

  private final NativeFloats memory;
  private final float[] a = new float[NativeFloats.BLOCK];
  private final float[] b = new float[NativeFloats.BLOCK];
  private final float[] c = new float[NativeFloats.BLOCK];
  private final float[] d = new float[NativeFloats.BLOCK];
  private final float[] squares = new float[LANES];

  FloatRanges(NativeFloats memory) {
    this.memory = memory;
  }

  double sumOfSquares(long array, long from, long to) {
    double sum = 0;
    for (long at = from; at < to; at += NativeFloats.BLOCK) {
      int count = (int) Math.min(NativeFloats.BLOCK, to - at);
      memory.read(array + Float.BYTES * at, a, 0, count);
      double block = sumOfSquaresOfBlock(count);
      sum += Double.isFinite(block) ? block : exactSumOfSquares(count);
    }
    return sum;
  }

  /**
   * Adds up squares in lanes, which the compiler vectorizes; only a few in float32, so that hardly
   * a digit is lost.
   */
  private double sumOfSquaresOfBlock(int count) {
    Arrays.fill(squares, 0);
    int whole = count - count % LANES;
    for (int from = 0; from < whole; from += LANES) {
      addSquares(a, from, squares);
    }
    double sum = 0;
    for (int i = whole; i < count; i++) {
      sum += (double) a[i] * a[i];
    }
    for (float lane : squares) {
      sum += lane;
    }
    return sum;
  }

  /** For numbers whose squares are no float32. */
  private double exactSumOfSquares(int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += (double) a[i] * a[i];
    }
    return sum;
  }

  private static void addSquares(float[] values, int from, float[] squares) {
    for (int lane = 0; lane < LANES; lane++) {
      squares[lane] += values[from + lane] * values[from + lane];
    }
  }

  void adamW(
      long weights,
      long gradients,
      long firstMoment,
      long secondMoment,
      long from,
      long to,
      double decay,
      AdamWStep step) {
    for (long at = from; at < to; at += NativeFloats.BLOCK) {
      int count = (int) Math.min(NativeFloats.BLOCK, to - at);
      long offset = Float.BYTES * at;
      memory.read(weights + offset, a, 0, count);
      memory.read(gradients + offset, b, 0, count);
      memory.read(firstMoment + offset, c, 0, count);
      memory.read(secondMoment + offset, d, 0, count);
      adamW(a, b, c, d, count, decay, step);
      memory.write(weights + offset, a, 0, count);
      memory.write(firstMoment + offset, c, 0, count);
      memory.write(secondMoment + offset, d, 0, count);
    }
  }

  private static void adamW(
      float[] weights,
      float[] gradients,
      float[] first,
      float[] second,
      int count,
      double decay,
      AdamWStep step) {
    float beta1 = (float) step.beta1();
    float beta2 = (float) step.beta2();
    float rest1 = (float) (1 - step.beta1());
    float rest2 = (float) (1 - step.beta2());
    float rate = (float) (step.learningRate() / (1 - Math.pow(step.beta1(), step.step())));
    float correction = (float) (1 / Math.sqrt(1 - Math.pow(step.beta2(), step.step())));
    float epsilon = (float) step.epsilon();
    float keep = (float) (1 - step.learningRate() * decay);
    float scale = (float) step.gradientScale();
    for (int i = 0; i < count; i++) {
      float gradient = gradients[i] * scale;
      float m = beta1 * first[i] + rest1 * gradient;
      float v = beta2 * second[i] + rest2 * gradient * gradient;
      first[i] = m;
      second[i] = v;
      weights[i] = keep * weights[i] - rate * m / ((float) Math.sqrt(v) * correction + epsilon);
    }
  }
}
