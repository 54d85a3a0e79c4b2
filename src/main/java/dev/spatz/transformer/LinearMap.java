package dev.spatz.transformer;

import dev.spatz.kernel.Kernels;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A linear map's weight (O,I) and bias (O), as views into a parameter set. Views into a set of
 * gradients have the same form.
 *
 * @param decoding how its forward is computed by other means; or null
 */
record LinearMap(INDArray weight, @Nullable INDArray bias, @Nullable Forward decoding) {
  /** {@code y = x·weightᵀ + bias (+ residual)} by other means. */
  interface Forward {
    void apply(Kernels kernels, INDArray x, @Nullable INDArray residual, INDArray y);
  }

  /** Takes the weight from {@code matrices}, a set of the same layout or the same set. */
  static LinearMap of(ParameterSet set, ParameterSet matrices, String name) {
    return new LinearMap(
        matrices.get(name + ParameterLayout.WEIGHT), set.find(name + ParameterLayout.BIAS), null);
  }

  /** The same map, computed by other means. */
  LinearMap with(Forward forward) {
    return new LinearMap(weight, bias, forward);
  }

  /** {@code y = x·weightᵀ + bias (+ residual)}; the residual is not {@code y}. */
  void forward(Kernels kernels, INDArray x, @Nullable INDArray residual, INDArray y) {
    if (decoding == null) {
      kernels.linear(x, weight, bias, residual, y);
    } else {
      decoding.apply(kernels, x, residual, y);
    }
  }

  /** {@code dX = dY·weight}; adds to the gradients. */
  void backward(Kernels kernels, INDArray dY, INDArray x, INDArray dX, LinearMap gradients) {
    kernels.linearBackward(dY, x, weight, dX, gradients.weight, gradients.bias);
  }
}
