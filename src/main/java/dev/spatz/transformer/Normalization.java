package dev.spatz.transformer;

import dev.spatz.kernel.Kernels;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The gain (C) and bias (C) of a layer or root-mean-square normalization, as views into a parameter
 * set. Views into a set of gradients have the same form; those of frozen weights have no arrays.
 */
record Normalization(
    boolean rootMeanSquare, double epsilon, @Nullable INDArray gain, @Nullable INDArray bias) {
  /** No gradients. */
  static final Normalization FROZEN = new Normalization(false, 0, null, null);

  static Normalization of(ParameterSet set, String name, TransformerConfig config) {
    return new Normalization(
        config.gated(),
        config.normEpsilon(),
        set.get(name + ParameterLayout.GAIN),
        set.find(name + ParameterLayout.BIAS));
  }

  void forward(Kernels kernels, INDArray x, Activations.Normalized y) {
    if (rootMeanSquare) {
      kernels.rmsNorm(x, gain, epsilon, y.values(), y.inverseDeviation());
    } else {
      kernels.layerNorm(x, gain, bias, epsilon, y.values(), y.mean(), y.inverseDeviation());
    }
  }

  /** Adds the gradient of the input to {@code dX}, which already holds what bypasses the block. */
  void backward(
      Kernels kernels,
      INDArray dY,
      INDArray x,
      Activations.Normalized y,
      INDArray dX,
      Normalization gradients) {
    if (rootMeanSquare) {
      kernels.rmsNormBackward(dY, x, gain, y.inverseDeviation(), dX, gradients.gain);
    } else {
      kernels.layerNormBackward(
          dY, x, gain, y.mean(), y.inverseDeviation(), dX, gradients.gain, gradients.bias);
    }
  }
}
