package dev.spatz.kernel;

import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The elements of an array as rows of doubles, and their way back; nothing at all for null. */
final class Values {
  final double[] at;
  final int columns;
  private final @Nullable INDArray array;

  private Values(@Nullable INDArray array) {
    this.array = array;
    at = array == null ? new double[0] : Tensors.toDoubles(array);
    columns = array == null ? 1 : (int) array.size(array.rank() - 1);
  }

  static Values of(@Nullable INDArray array) {
    return new Values(array);
  }

  boolean present() {
    return array != null;
  }

  int rows() {
    return at.length / columns;
  }

  double get(int row, int column) {
    return at[row * columns + column];
  }

  void set(int row, int column, double value) {
    at[row * columns + column] = value;
  }

  void add(int row, int column, double value) {
    at[row * columns + column] += value;
  }

  void store() {
    if (array != null) {
      Tensors.write(array, 0, at, 0, at.length);
    }
  }
}
