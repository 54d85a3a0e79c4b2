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
}
