package dev.spatz.kernel;

import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Root-mean-square normalization of query and key heads, as Java loops in float64. */
final class JavaHeads {
  private JavaHeads() {}

  static void normalize(
      INDArray qkv,
      AttentionShape shape,
      INDArray queryGain,
      INDArray keyGain,
      double epsilon,
      INDArray normalized,
      INDArray inverseRms) {
    int size = shape.headSize();
    int heads = shape.heads() + shape.keyValueHeads();
    double[] x = new double[heads * size];
    double[] n = new double[x.length];
    double[] inverses = new double[heads];
    double[][] gains = {Tensors.toDoubles(queryGain), Tensors.toDoubles(keyGain)};
    for (long row = 0; row < qkv.size(0); row++) {
      Tensors.read(qkv, row * shape.rowWidth(), x, 0, x.length);
      for (int head = 0; head < heads; head++) {
        double[] gain = gains[head < shape.heads() ? 0 : 1];
        int at = head * size;
        double squares = 0;
        for (int i = 0; i < size; i++) {
          squares += x[at + i] * x[at + i];
        }
        inverses[head] = 1 / Math.sqrt(squares / size + epsilon);
        for (int i = 0; i < size; i++) {
          n[at + i] = x[at + i] * inverses[head];
          x[at + i] = n[at + i] * gain[i];
        }
      }
      Tensors.write(qkv, row * shape.rowWidth(), x, 0, x.length);
      Tensors.write(normalized, row * x.length, n, 0, x.length);
      Tensors.write(inverseRms, row * heads, inverses, 0, heads);
    }
  }

  /** {@code dX = (d − n·mean(d·n)) / rms} with d = dY·gain. */
  static void backward(
      INDArray dQkv,
      AttentionShape shape,
      INDArray queryGain,
      INDArray keyGain,
      INDArray normalized,
      INDArray inverseRms,
      @Nullable INDArray dQueryGain,
      @Nullable INDArray dKeyGain) {
    int size = shape.headSize();
    int heads = shape.heads() + shape.keyValueHeads();
    double[] d = new double[heads * size];
    double[] n = new double[d.length];
    double[] inverses = new double[heads];
    double[][] gains = {Tensors.toDoubles(queryGain), Tensors.toDoubles(keyGain)};
    double[][] dGains = new double[2][size];
    for (long row = 0; row < dQkv.size(0); row++) {
      Tensors.read(dQkv, row * shape.rowWidth(), d, 0, d.length);
      Tensors.read(normalized, row * n.length, n, 0, n.length);
      Tensors.read(inverseRms, row * heads, inverses, 0, heads);
      for (int head = 0; head < heads; head++) {
        int kind = head < shape.heads() ? 0 : 1;
        int at = head * size;
        double product = 0;
        for (int i = 0; i < size; i++) {
          dGains[kind][i] += d[at + i] * n[at + i];
          d[at + i] *= gains[kind][i];
          product += d[at + i] * n[at + i];
        }
        for (int i = 0; i < size; i++) {
          d[at + i] = inverses[head] * (d[at + i] - n[at + i] * product / size);
        }
      }
      Tensors.write(dQkv, row * shape.rowWidth(), d, 0, d.length);
    }
    add(dGains[0], dQueryGain);
    add(dGains[1], dKeyGain);
  }

  private static void add(double[] values, @Nullable INDArray into) {
    if (into != null) {
      for (int i = 0; i < values.length; i++) {
        Tensors.put(into, i, Tensors.get(into, i) + values[i]);
      }
    }
  }
}
