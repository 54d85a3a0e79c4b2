package dev.spatz.generation;

import dev.spatz.kernel.Tensors;
import dev.spatz.transformer.KeyValueCache;
import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A text's hidden states, as one vector of length 1. */
final class Embedding extends Reading<float[]> {
  private final int[] ids;
  private final Pooling pooling;
  private final double[] sum;
  private final double[] state;

  Embedding(ModelParts model, int[] ids, Pooling pooling) {
    super(model, ids.length);
    this.ids = ids;
    this.pooling = pooling;
    this.sum = new double[model.transformer().config().channels()];
    this.state = new double[sum.length];
  }

  @Override
  void read(Means means, KeyValueCache cache, int most) {
    int from = cache.length();
    if (from == 0) {
      means.counters().begun(ids.length, 0);
    }
    int to = (int) Math.min(ids.length, (long) from + most);
    means
        .decoder()
        .acceptForStates(
            means.kernels(),
            cache,
            Arrays.copyOfRange(ids, from, to),
            (rows, first, count) -> {
              for (int row = 0; row < count; row++) {
                if (pooling == Pooling.MEAN || from + first + row == ids.length - 1) {
                  add(rows, row);
                }
              }
            });
    if (to == ids.length) {
      result.complete(normalized());
    }
  }

  private void add(INDArray rows, int row) {
    Tensors.read(rows, (long) row * state.length, state, 0, state.length);
    for (int i = 0; i < sum.length; i++) {
      sum[i] += state[i];
    }
  }

  /** The mean's length is of no account, so the sum does. */
  private float[] normalized() {
    double squares = 0;
    for (double value : sum) {
      squares += value * value;
    }
    if (!Double.isFinite(squares)) {
      throw new IllegalStateException("the model's states are not all finite; its weights are bad");
    }
    double length = Math.max(Math.sqrt(squares), Double.MIN_NORMAL);
    float[] normalized = new float[sum.length];
    for (int i = 0; i < normalized.length; i++) {
      normalized[i] = (float) (sum[i] / length);
    }
    return normalized;
  }
}
