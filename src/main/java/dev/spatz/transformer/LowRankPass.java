package dev.spatz.transformer;

import dev.spatz.kernel.Dropout;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.TensorArena;
import dev.spatz.kernel.Tensors;
import dev.spatz.kernel.WriteMode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The weights of a frozen model as the passes of one workspace use them while an adapter is
 * trained: the results of its linear maps get the adapter's updates, {@code
 * scale·dropout(x)·Aᵀ·Bᵀ}, and the backward goes on to the gradients of A and B alone.
 */
final class LowRankPass implements AutoCloseable {
  private final TrainedAdapter adapter;
  private final int rows;
  private final int time;
  private final Weights weights;
  private final INDArray dInner;
  private final TensorArena owned = new TensorArena();
  private final Map<Integer, Dropped> dropped = new HashMap<>();
  private DropoutSites dropout = DropoutSites.NONE;
  private @Nullable ParameterSet gradients;

  /**
   * A module's matrices as the passes read them.
   *
   * @param number of the module, for its dropout
   * @param inner what is between them (R,r)
   */
  private record Update(LoraModule module, int number, INDArray a, INDArray b, INDArray inner) {}

  /** The input (R,I) of a module after dropout, and its gradient; of all modules so wide. */
  private record Dropped(INDArray x, INDArray dX) {}

  /**
   * For passes over R rows.
   *
   * @param weights of the frozen model
   * @param operands type of what linear maps read and write
   */
  LowRankPass(Weights weights, TrainedAdapter adapter, int rows, int time, DataType operands) {
    this.adapter = adapter;
    this.rows = rows;
    this.time = time;
    int rank = adapter.config().rank();
    this.dInner = owned.zeros(operands, rows, rank);
    Map<String, List<Update>> updates = new HashMap<>();
    for (LoraModule module : adapter.modules()) {
      updates
          .computeIfAbsent(module.map(), any -> new ArrayList<>())
          .add(
              new Update(
                  module,
                  adapter.modules().indexOf(module),
                  adapter.matrices().get(module.a()),
                  adapter.matrices().get(module.b()),
                  owned.zeros(operands, rows, rank)));
    }
    this.weights =
        weights.withMaps(
            map -> {
              List<Update> own = updates.get(map.name());
              return own == null ? map : map.with(new Updated(map, own));
            });
  }

  /** The dropout of a model with this adapter. */
  DropoutSites dropout(TransformerConfig config) {
    int modules = adapter.modules().size();
    return new DropoutSites(config.dropout(), adapter.config().dropout(), config.layers(), modules);
  }

  /** The weights for a pass, and where the gradients of its backward go. */
  Weights weights(DropoutSites sites, @Nullable ParameterSet into) {
    dropout = sites;
    gradients = into;
    return weights;
  }

  /** A linear map of the frozen model with updates of some of its columns. */
  private final class Updated implements LinearMap.Computation {
    private final LinearMap map;
    private final List<Update> updates;

    Updated(LinearMap map, List<Update> updates) {
      this.map = map;
      this.updates = updates;
    }

    @Override
    public void forward(Kernels kernels, INDArray x, @Nullable INDArray residual, INDArray y) {
      map.forward(kernels, x, residual, y);
      for (Update update : updates) {
        INDArray input = input(kernels, x, dropout.adapter(update.number));
        int first = update.module.firstRow();
        kernels.lowRank(input, update.a, update.b, scale(), first, update.inner, y);
      }
    }

    @Override
    public void backward(
        Kernels kernels, INDArray dY, INDArray x, INDArray dX, WriteMode mode, LinearMap frozen) {
      map.backward(kernels, dY, x, dX, mode, frozen);
      for (Update update : updates) {
        Dropout drop = dropout.adapter(update.number);
        INDArray input = input(kernels, x, drop);
        if (!drop.active()) {
          backward(kernels, update, dY, input, dX, mode);
        } else {
          INDArray dInput = dropped(x).dX;
          Tensors.fill(dInput, 0);
          backward(kernels, update, dY, input, dInput, mode);
          kernels.dropout(dInput, time, drop, dInput);
          kernels.add(dX, dInput, dX);
        }
      }
    }

    private void backward(
        Kernels kernels,
        Update update,
        INDArray dY,
        INDArray input,
        INDArray dInput,
        WriteMode mode) {
      kernels.lowRankBackward(
          dY,
          input,
          update.a,
          update.b,
          scale(),
          update.module.firstRow(),
          update.inner,
          dInner,
          dInput,
          mode,
          gradients.get(update.module.a()),
          gradients.get(update.module.b()));
    }
  }

  private double scale() {
    return adapter.config().scale();
  }

  /** What goes into a module: the map's input, or a copy after dropout. */
  private INDArray input(Kernels kernels, INDArray x, Dropout drop) {
    if (!drop.active()) {
      return x;
    }
    INDArray input = dropped(x).x;
    kernels.dropout(x, time, drop, input);
    return input;
  }

  private Dropped dropped(INDArray x) {
    return dropped.computeIfAbsent(
        (int) x.size(1),
        width ->
            new Dropped(
                owned.zeros(x.dataType(), rows, width), owned.zeros(x.dataType(), rows, width)));
  }

  @Override
  public void close() {
    owned.close();
  }
}
