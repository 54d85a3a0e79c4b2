package dev.spatz.kernel;

import static dev.spatz.kernel.Nd4jMath.gemm;

import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Low-rank updates by plain products; the columns that change go through a copy. */
final class Nd4jLowRank implements AutoCloseable {
  private static final int COLUMNS = 0;

  private final Nd4jScratch scratch = new Nd4jScratch();

  void forward(
      INDArray x, INDArray a, INDArray b, double scale, int first, INDArray inner, INDArray y) {
    gemm(x, false, a, true, 1, 0, inner);
    INDArray update = scratch.array(COLUMNS, y.dataType(), y.size(0), b.size(0));
    gemm(inner, false, b, true, scale, 0, update);
    Tensors.columns(y, first, first + b.size(0)).addi(update);
  }

  void backward(
      INDArray dY,
      INDArray x,
      INDArray a,
      INDArray b,
      double scale,
      int first,
      INDArray inner,
      INDArray dInner,
      @Nullable INDArray dX,
      WriteMode mode,
      @Nullable INDArray dA,
      @Nullable INDArray dB) {
    INDArray dUpdate = scratch.array(COLUMNS, dY.dataType(), dY.size(0), b.size(0));
    Tensors.copy(Tensors.columns(dY, first, first + b.size(0)), dUpdate);
    gemm(dUpdate, false, b, false, scale, 0, dInner);
    if (dB != null) {
      gemm(dUpdate, true, inner, false, scale, mode.beta(), dB);
    }
    if (dX != null) {
      gemm(dInner, false, a, false, 1, 1, dX);
    }
    if (dA != null) {
      gemm(dInner, true, x, false, 1, mode.beta(), dA);
    }
  }

  @Override
  public void close() {
    scratch.close();
  }
}
