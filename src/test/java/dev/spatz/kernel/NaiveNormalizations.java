package dev.spatz.kernel;

import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The part of {@link NaiveKernels} that is normalization: a row at a time. */
final class NaiveNormalizations {
  private NaiveNormalizations() {}

  static void layerNorm(
      INDArray x,
      INDArray gain,
      @Nullable INDArray bias,
      double epsilon,
      INDArray y,
      INDArray mean,
      INDArray inverseDeviation) {
    Values in = Values.of(x);
    Values g = Values.of(gain);
    Values b = Values.of(bias);
    Values out = Values.of(y);
    Values m = Values.of(mean);
    Values inverse = Values.of(inverseDeviation);
    int width = in.columns;
    for (int r = 0; r < in.rows(); r++) {
      double sum = 0;
      for (int c = 0; c < width; c++) {
        sum += in.get(r, c);
      }
      m.at[r] = sum / width;
      double squares = 0;
      for (int c = 0; c < width; c++) {
        squares += Math.pow(in.get(r, c) - m.at[r], 2);
      }
      inverse.at[r] = 1 / Math.sqrt(squares / width + epsilon);
      for (int c = 0; c < width; c++) {
        double normalized = (in.get(r, c) - m.at[r]) * inverse.at[r];
        out.set(r, c, normalized * g.at[c] + (b.present() ? b.at[c] : 0));
      }
    }
    out.store();
    m.store();
    inverse.store();
  }

  static void rmsNorm(INDArray x, INDArray gain, double epsilon, INDArray y, INDArray inverseRms) {
    Values in = Values.of(x);
    Values g = Values.of(gain);
    Values out = Values.of(y);
    Values inverse = Values.of(inverseRms);
    for (int r = 0; r < in.rows(); r++) {
      double squares = 0;
      for (int c = 0; c < in.columns; c++) {
        squares += in.get(r, c) * in.get(r, c);
      }
      inverse.at[r] = 1 / Math.sqrt(squares / in.columns + epsilon);
      for (int c = 0; c < in.columns; c++) {
        out.set(r, c, in.get(r, c) * inverse.at[r] * g.at[c]);
      }
    }
    out.store();
    inverse.store();
  }

  /** Of both normalizations; without a mean it is the root mean square's. */
  static void backward(
      INDArray dY,
      INDArray x,
      INDArray gain,
      @Nullable INDArray mean,
      INDArray inverse,
      INDArray dX,
      @Nullable INDArray dGain,
      @Nullable INDArray dBias) {
    Values d = Values.of(dY);
    Values in = Values.of(x);
    Values g = Values.of(gain);
    Values m = Values.of(mean);
    Values scale = Values.of(inverse);
    Values dIn = Values.of(dX);
    Values dG = Values.of(dGain);
    Values dB = Values.of(dBias);
    int width = in.columns;
    for (int r = 0; r < in.rows(); r++) {
      double[] n = new double[width];
      for (int c = 0; c < width; c++) {
        n[c] = (in.get(r, c) - (m.present() ? m.at[r] : 0)) * scale.at[r];
        if (dG.present()) {
          dG.at[c] += d.get(r, c) * n[c];
        }
        if (dB.present()) {
          dB.at[c] += d.get(r, c);
        }
      }
      for (int i = 0; i < width; i++) {
        for (int j = 0; j < width; j++) {
          double slope = (i == j ? 1 : 0) - n[i] * n[j] / width - (m.present() ? 1.0 / width : 0);
          dIn.add(r, i, d.get(r, j) * g.at[j] * scale.at[r] * slope);
        }
      }
    }
    dIn.store();
    dG.store();
    dB.store();
  }

  static void heads(
      INDArray qkv,
      AttentionShape shape,
      INDArray queryGain,
      INDArray keyGain,
      double epsilon,
      INDArray normalized,
      INDArray inverseRms) {
    Values x = Values.of(qkv);
    Values n = Values.of(normalized);
    Values inverse = Values.of(inverseRms);
    int size = shape.headSize();
    for (int r = 0; r < x.rows(); r++) {
      for (int head = 0; head < inverse.columns; head++) {
        Values gain = Values.of(head < shape.heads() ? queryGain : keyGain);
        double mean = 0;
        for (int i = 0; i < size; i++) {
          mean += Math.pow(x.get(r, head * size + i), 2) / size;
        }
        inverse.set(r, head, Math.pow(mean + epsilon, -0.5));
        for (int i = 0; i < size; i++) {
          int at = head * size + i;
          n.set(r, at, x.get(r, at) * inverse.get(r, head));
          x.set(r, at, n.get(r, at) * gain.at[i]);
        }
      }
    }
    x.store();
    n.store();
    inverse.store();
  }

  /** By the matrix of slopes, as {@link #backward}. */
  static void headsBackward(
      INDArray dQkv,
      AttentionShape shape,
      INDArray queryGain,
      INDArray keyGain,
      INDArray normalized,
      INDArray inverseRms,
      @Nullable INDArray dQueryGain,
      @Nullable INDArray dKeyGain) {
    Values d = Values.of(dQkv);
    Values n = Values.of(normalized);
    Values inverse = Values.of(inverseRms);
    Values dQuery = Values.of(dQueryGain);
    Values dKey = Values.of(dKeyGain);
    int size = shape.headSize();
    for (int r = 0; r < d.rows(); r++) {
      for (int head = 0; head < inverse.columns; head++) {
        boolean query = head < shape.heads();
        Values gain = Values.of(query ? queryGain : keyGain);
        Values dGain = query ? dQuery : dKey;
        double[] dX = new double[size];
        for (int j = 0; j < size; j++) {
          double dY = d.get(r, head * size + j);
          double nJ = n.get(r, head * size + j);
          if (dGain.present()) {
            dGain.at[j] += dY * nJ;
          }
          for (int i = 0; i < size; i++) {
            double slope = (i == j ? 1 : 0) - n.get(r, head * size + i) * nJ / size;
            dX[i] += dY * gain.at[j] * inverse.get(r, head) * slope;
          }
        }
        for (int i = 0; i < size; i++) {
          d.set(r, head * size + i, dX[i]);
        }
      }
    }
    d.store();
    dQuery.store();
    dKey.store();
  }
}
