package dev.spatz.transformer;

import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.Tensors;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Adds the updates of adapters to what a decoder's linear maps compute: all rows read the model's
 * weights together, and each has the adapter of its own sequence. A row's bits do not depend on the
 * other rows, nor on their adapters.
 */
final class RowUpdates implements AutoCloseable {
  private static final int MOST = Decoder.MOST_SEQUENCES;

  private final DataType type;
  private final @Nullable SliceTeam team;
  private final @Nullable InferenceAdapter[] adapters = new InferenceAdapter[MOST];
  private final Map<INDArray, INDArray[]> rowsOf = new IdentityHashMap<>();
  private final Map<Integer, Between> betweens = new HashMap<>();
  private int rows;
  private boolean alike;

  /**
   * Memory for what is between A and B.
   *
   * @param rows (64,Σr)
   * @param first views of the first i + 1 rows
   * @param each views of each row
   */
  private record Between(INDArray rows, INDArray[] first, INDArray[] each) {}

  /**
   * The updates of a decoder.
   *
   * @param team that computes with it, or null
   */
  RowUpdates(DataType type, @Nullable SliceTeam team) {
    this.type = type;
    this.team = team;
  }

  /** All rows of the next pass are of one sequence. */
  void all(KeyValueCache sequence) {
    adapters[0] = sequence.adapter();
    alike = true;
  }

  /** Each row of the next pass is of another sequence. */
  void each(List<KeyValueCache> sequences) {
    rows = sequences.size();
    alike = true;
    for (int i = 0; i < rows; i++) {
      adapters[i] = sequences.get(i).adapter();
      alike &= adapters[i] == adapters[0];
    }
  }

  /** A linear map whose results get the updates. */
  LinearMap of(LinearMap map) {
    return map.with(
        (kernels, x, residual, y) -> {
          map.forward(kernels, x, residual, y);
          if (!alike) {
            addToEach(kernels, map.name(), x, y);
          } else if (adapters[0] != null) {
            addToAll(kernels, adapters[0].find(map.name()), x, y);
          }
        });
  }

  private void addToAll(
      Kernels kernels, InferenceAdapter.@Nullable Update update, INDArray x, INDArray y) {
    if (update != null) {
      INDArray between = between(update.rank()).first[(int) x.size(0) - 1];
      if (team == null) {
        kernels.linear(x, update.a(), null, null, between);
        kernels.linear(between, update.b(), null, y, y);
      } else {
        team.linear(kernels, x, update.a(), null, null, between);
        team.linear(kernels, between, update.b(), null, y, y);
      }
    }
  }

  private void addToEach(Kernels kernels, String map, INDArray x, INDArray y) {
    INDArray[] inputs = rowsOf(x);
    INDArray[] results = rowsOf(y);
    for (int i = 0; i < rows; i++) { // not while the threads run
      InferenceAdapter.Update update = find(i, map);
      if (update != null) {
        between(update.rank());
      }
    }
    SliceTeam.Job ofRow =
        (using, i) -> {
          InferenceAdapter.Update update = find(i, map);
          if (update != null) {
            INDArray between = between(update.rank()).each[i];
            using.linear(inputs[i], update.a(), null, null, between);
            using.linear(between, update.b(), null, results[i], results[i]);
          }
        };
    if (team != null) {
      team.run(kernels, rows, ofRow);
    } else {
      for (int i = 0; i < rows; i++) {
        ofRow.run(kernels, i);
      }
    }
  }

  private InferenceAdapter.@Nullable Update find(int row, String map) {
    InferenceAdapter adapter = adapters[row];
    return adapter == null ? null : adapter.find(map);
  }

  /** Each row of one of the decoder's arrays alone. */
  private INDArray[] rowsOf(INDArray array) {
    INDArray[] views = rowsOf.get(array);
    if (views == null) {
      views = each(array);
      rowsOf.put(array, views);
    }
    return views;
  }

  private static INDArray[] each(INDArray array) {
    INDArray[] views = new INDArray[(int) array.size(0)];
    for (int i = 0; i < views.length; i++) {
      views[i] = Tensors.rows(array, i, i + 1);
    }
    return views;
  }

  private Between between(int rank) {
    Between between = betweens.get(rank);
    if (between == null) {
      INDArray all = Tensors.zeros(type, MOST, rank);
      INDArray[] first = new INDArray[MOST];
      for (int i = 0; i < MOST; i++) {
        first[i] = Tensors.rows(all, 0, i + 1);
      }
      between = new Between(all, first, each(all));
      betweens.put(rank, between);
    }
    return between;
  }

  /** Bytes off the heap. */
  long bytes() {
    return betweens.values().stream()
        .mapToLong(between -> between.rows.length() * between.rows.dataType().width())
        .sum();
  }

  @Override
  public void close() {
    betweens.values().forEach(between -> between.rows.close());
    betweens.clear();
  }
}
