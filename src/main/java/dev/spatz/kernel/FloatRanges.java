package dev.spatz.kernel;

/** Operations on ranges of flat float32 arrays, as Java loops over a block at a time. */
final class FloatRanges {
  private final NativeFloats memory;
  private final float[] a = new float[NativeFloats.BLOCK];
  private final float[] b = new float[NativeFloats.BLOCK];
  private final float[] c = new float[NativeFloats.BLOCK];
  private final float[] d = new float[NativeFloats.BLOCK];

  FloatRanges(NativeFloats memory) {
    this.memory = memory;
  }

  double sumOfSquares(long array, long from, long to) {
    double sum = 0;
    for (long at = from; at < to; at += NativeFloats.BLOCK) {
      int count = (int) Math.min(NativeFloats.BLOCK, to - at);
      memory.read(array + Float.BYTES * at, a, 0, count);
      sum += sumOfSquares(a, count);
    }
    return sum;
  }

  /** Four sums, because each addition waits for the one before. */
  private static double sumOfSquares(float[] values, int count) {
    double sum0 = 0;
    double sum1 = 0;
    double sum2 = 0;
    double sum3 = 0;
    int i = 0;
    for (; i + 3 < count; i += 4) {
      sum0 += (double) values[i] * values[i];
      sum1 += (double) values[i + 1] * values[i + 1];
      sum2 += (double) values[i + 2] * values[i + 2];
      sum3 += (double) values[i + 3] * values[i + 3];
    }
    for (; i < count; i++) {
      sum0 += (double) values[i] * values[i];
    }
    return sum0 + sum1 + (sum2 + sum3);
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
