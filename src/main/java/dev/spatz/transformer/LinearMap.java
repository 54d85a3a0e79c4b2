package dev.spatz.transformer;

import dev.spatz.kernel.Kernels;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A linear map's weight (O,I) and bias (O), as views into a parameter set. Views into a set of
 * gradients have the same form.
 */
record LinearMap(INDArray weight, @Nullable INDArray bias) {
  /** Takes the weight from {@code matrices}, a set of the same layout or the same set. */
  static LinearMap of(ParameterSet set, ParameterSet matrices, String name) {
    return new LinearMap(
        matrices.get(name + ParameterLayout.WEIGHT), set.find(name + ParameterLayout.BIAS));
  }

  /** {@code y = x·weightᵀ + bias (+ residual)}. */
  void forward(Kernels kernels, INDArray x, @Nullable INDArray residual, INDArray y) {
    kernels.linear(x, weight, bias, residual, y);
  }

  /** {@code dX = dY·weight}; adds to the gradients. */
  void backward(Kernels kernels, INDArray dY, INDArray x, INDArray dX, LinearMap gradients) {
    kernels.linearBackward(dY, x, weight, dX, gradients.weight, gradients.bias);
  }
}
