package dev.spatz.transformer;

import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.WriteMode;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A linear map's weight (O,I) and bias (O), as views into a parameter set. Views into a set of
 * gradients have the same form; those of frozen weights have no arrays. The weight is null also
 * where it is kept in another form, for {@code other}.
 *
 * @param name such as {@code layers.0.attention.qkv}
 * @param other how it is computed by other means; or null
 */
record LinearMap(
    String name, @Nullable INDArray weight, @Nullable INDArray bias, @Nullable Computation other) {
  /** No gradients. */
  static final LinearMap FROZEN = new LinearMap("frozen", null, null, null);

  /** A linear map by other means; some have a forward only. */
  interface Computation {
    /** {@code y = x·weightᵀ + bias (+ residual)}. */
    void forward(Kernels kernels, INDArray x, @Nullable INDArray residual, INDArray y);

    /** {@code dX = dY·weight}; overwrites the gradients or adds to them. */
    default void backward(
        Kernels kernels,
        INDArray dY,
        INDArray x,
        INDArray dX,
        WriteMode mode,
        LinearMap gradients) {
      throw new UnsupportedOperationException("a linear map with a forward only");
    }
  }

  /** Takes the weight from {@code matrices}, a set of the same layout or the same set. */
  static LinearMap of(ParameterSet set, ParameterSet matrices, String name) {
    return new LinearMap(
        name,
        matrices.find(name + ParameterLayout.WEIGHT),
        set.find(name + ParameterLayout.BIAS),
        null);
  }

  /** The same map, computed by other means. */
  LinearMap with(Computation computation) {
    return new LinearMap(name, weight, bias, computation);
  }

  /** {@code y = x·weightᵀ + bias (+ residual)}; the residual is not {@code y}. */
  void forward(Kernels kernels, INDArray x, @Nullable INDArray residual, INDArray y) {
    if (other == null) {
      kernels.linear(x, weight, bias, residual, y);
    } else {
      other.forward(kernels, x, residual, y);
    }
  }

  /** {@code dX = dY·weight}; overwrites the gradients or adds to them. */
  void backward(
      Kernels kernels, INDArray dY, INDArray x, INDArray dX, WriteMode mode, LinearMap gradients) {
    if (other == null) {
      kernels.linearBackward(dY, x, weight, dX, mode, gradients.weight, gradients.bias);
    } else {
      other.backward(kernels, dY, x, dX, mode, gradients);
    }
  }
}
