package dev.spatz.kernel;

import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Operations on rows picked by index, as Java loops in float64. */
final class JavaRows {
  private double[] a = new double[0];
  private double[] b = new double[0];
  private double[] c = new double[0];

  void embed(
      int[] ids, int[] positions, INDArray tokens, @Nullable INDArray positionTable, INDArray out) {
    int width = width(out);
    for (int r = 0; r < ids.length; r++) {
      Tensors.read(tokens, (long) ids[r] * width, a, 0, width);
      if (positionTable != null) {
        Tensors.read(positionTable, (long) positions[r] * width, b, 0, width);
        for (int i = 0; i < width; i++) {
          a[i] += b[i];
        }
      }
      Tensors.write(out, (long) r * width, a, 0, width);
    }
  }

  void embedBackward(
      INDArray dOut,
      int[] ids,
      int[] positions,
      @Nullable INDArray dTokens,
      @Nullable INDArray dPositionTable) {
    int width = width(dOut);
    for (int r = 0; r < ids.length; r++) {
      Tensors.read(dOut, (long) r * width, a, 0, width);
      if (dTokens != null) {
        addRow(dTokens, ids[r], width);
      }
      if (dPositionTable != null) {
        addRow(dPositionTable, positions[r], width);
      }
    }
  }

  private void addRow(INDArray table, int row, int width) {
    Tensors.read(table, (long) row * width, b, 0, width);
    for (int i = 0; i < width; i++) {
      b[i] += a[i];
    }
    Tensors.write(table, (long) row * width, b, 0, width);
  }

  /** Turns by the positions' angles times {@code direction}, 1 or −1. */
  void rotate(
      INDArray x, int[] positions, int heads, INDArray cosines, INDArray sines, int direction) {
    int width = width(x);
    int half = (int) cosines.size(1);
    for (int r = 0; r < positions.length; r++) {
      Tensors.read(x, (long) r * width, a, 0, 2 * half * heads);
      Tensors.read(cosines, (long) positions[r] * half, b, 0, half);
      Tensors.read(sines, (long) positions[r] * half, c, 0, half);
      for (int head = 0; head < heads; head++) {
        for (int i = 0; i < half; i++) {
          int first = 2 * half * head + i;
          int second = first + half;
          double sine = direction * c[i];
          double turned = a[first] * b[i] - a[second] * sine;
          a[second] = a[second] * b[i] + a[first] * sine;
          a[first] = turned;
        }
      }
      Tensors.write(x, (long) r * width, a, 0, 2 * half * heads);
    }
  }

  /** Adds the column sums of {@code x} (R,C) to {@code sums} (C). */
  void addColumnSums(INDArray x, INDArray sums) {
    int width = width(x);
    Tensors.read(sums, 0, b, 0, width);
    for (int r = 0; r < x.size(0); r++) {
      Tensors.read(x, (long) r * width, a, 0, width);
      for (int i = 0; i < width; i++) {
        b[i] += a[i];
      }
    }
    Tensors.write(sums, 0, b, 0, width);
  }

  /** The dropout's factor of every element. */
  void factors(INDArray factors, int time, Dropout dropout) {
    int width = width(factors);
    for (int r = 0; r < factors.size(0); r++) {
      long row = dropout.firstSequence() * time + r;
      for (int i = 0; i < width; i++) {
        a[i] = dropout.factor(row * width + i);
      }
      Tensors.write(factors, (long) r * width, a, 0, width);
    }
  }

  /** The width of the rows, for which there is room afterwards. */
  private int width(INDArray rows) {
    int width = (int) rows.size(1);
    if (a.length < width) {
      a = new double[width];
      b = new double[width];
      c = new double[width];
    }
    return width;
  }
}
