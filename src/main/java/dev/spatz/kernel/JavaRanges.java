package dev.spatz.kernel;

import org.nd4j.linalg.api.ndarray.INDArray;

/** Operations on ranges of flat arrays, as Java loops in float64, a block at a time. */
final class JavaRanges {
  private static final int BLOCK = 4096;

  private final double[] a = new double[BLOCK];
  private final double[] b = new double[BLOCK];
  private final double[] c = new double[BLOCK];
  private final double[] d = new double[BLOCK];

  double sumOfSquares(INDArray array, long from, long to) {
    double sum = 0;
    for (long at = from; at < to; at += BLOCK) {
      int count = (int) Math.min(BLOCK, to - at);
      Tensors.read(array, at, a, 0, count);
      for (int i = 0; i < count; i++) {
        sum += a[i] * a[i];
      }
    }
    return sum;
  }

  void adamW(
      INDArray weights,
      INDArray gradients,
      INDArray firstMoment,
      INDArray secondMoment,
      long from,
      long to,
      double decay,
      AdamWStep step) {
    double beta1 = step.beta1();
    double beta2 = step.beta2();
    double rate = step.learningRate() / (1 - Math.pow(beta1, step.step()));
    double correction = 1 / Math.sqrt(1 - Math.pow(beta2, step.step()));
    double keep = 1 - step.learningRate() * decay;
    for (long at = from; at < to; at += BLOCK) {
      int count = (int) Math.min(BLOCK, to - at);
      Tensors.read(weights, at, a, 0, count);
      Tensors.read(gradients, at, b, 0, count);
      Tensors.read(firstMoment, at, c, 0, count);
      Tensors.read(secondMoment, at, d, 0, count);
      for (int i = 0; i < count; i++) {
        double gradient = b[i] * step.gradientScale();
        c[i] = beta1 * c[i] + (1 - beta1) * gradient;
        d[i] = beta2 * d[i] + (1 - beta2) * gradient * gradient;
        a[i] = keep * a[i] - rate * c[i] / (Math.sqrt(d[i]) * correction + step.epsilon());
      }
      Tensors.write(weights, at, a, 0, count);
      Tensors.write(firstMoment, at, c, 0, count);
      Tensors.write(secondMoment, at, d, 0, count);
    }
  }
}
