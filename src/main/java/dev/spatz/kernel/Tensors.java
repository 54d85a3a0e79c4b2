package dev.spatz.kernel;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Makes, views, fills and reads arrays; all other packages touch their contents through here. */
public final class Tensors {
  private Tensors() {}

  /** A new array of zeros, off the heap; the caller owns it and frees it by {@code close()}. */
  public static INDArray zeros(DataType type, long... shape) {
    return Nd4j.zeros(type, shape);
  }

  /**
   * A view of a part of a flat array, of its own shape; it owns nothing.
   *
   * @param flat (N)
   * @param offset first element
   * @param shape of the view; offset plus its elements is at most N
   */
  public static INDArray view(INDArray flat, long offset, long... shape) {
    long length = 1;
    for (long size : shape) {
      length *= size;
    }
    return flat.get(NDArrayIndex.interval(offset, offset + length)).reshape('c', shape);
  }

  /** A view of rows {@code from}…{@code to − 1} of a matrix; it owns nothing. */
  public static INDArray rows(INDArray matrix, long from, long to) {
    return matrix.get(NDArrayIndex.interval(from, to), NDArrayIndex.all());
  }

  /** Sets every element. */
  public static void fill(INDArray array, double value) {
    array.assign(value);
  }

  /** Copies all elements; arrays of one shape, whose types may differ. */
  public static void copy(INDArray source, INDArray target) {
    target.assign(source);
  }
}
