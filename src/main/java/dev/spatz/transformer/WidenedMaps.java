package dev.spatz.transformer;

import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.RoundedMatrix;
import dev.spatz.kernel.TensorArena;
import dev.spatz.kernel.Tensors;
import dev.spatz.kernel.WriteMode;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The weights of a frozen model as the passes of one workspace use them: each matrix is widened
 * when its linear map needs it, all of them into the same memory. Of the backward there is the
 * gradient of the input alone.
 */
final class WidenedMaps implements AutoCloseable {
  private final TensorArena owned = new TensorArena();
  private final INDArray memory;
  private final Weights weights;

  /** {@code operands}: type of what linear maps read and write. */
  WidenedMaps(Weights own, FrozenMatrices frozen, DataType operands) {
    memory = owned.zeros(operands, frozen.largest());
    weights =
        own.withMaps(
            map -> {
              RoundedMatrix rounded = frozen.find(map.name() + ParameterLayout.WEIGHT);
              return rounded == null ? map : map.with(new Widened(map, rounded));
            });
  }

  Weights weights() {
    return weights;
  }

  private final class Widened implements LinearMap.Computation {
    private final LinearMap map;
    private final RoundedMatrix rounded;
    private final INDArray weight;

    Widened(LinearMap map, RoundedMatrix rounded) {
      this.map = map;
      this.rounded = rounded;
      this.weight = Tensors.view(memory, 0, rounded.rows(), rounded.columns());
    }

    @Override
    public void forward(Kernels kernels, INDArray x, @Nullable INDArray residual, INDArray y) {
      kernels.widen(rounded, weight);
      kernels.linear(x, weight, map.bias(), residual, y);
    }

    @Override
    public void backward(
        Kernels kernels, INDArray dY, INDArray x, INDArray dX, WriteMode mode, LinearMap frozen) {
      kernels.widen(rounded, weight);
      kernels.linearBackward(dY, x, weight, dX, mode, null, null);
    }
  }

  /** Bytes off the heap. */
  long bytes() {
    return memory.length() * memory.dataType().width();
  }

  @Override
  public void close() {
    owned.close();
  }
}
