package dev.spatz.kernel;

import org.nd4j.linalg.api.ndarray.INDArray;

/** A copy of the weights (O,I). */
record Nd4jPackedWeights(INDArray weight) implements PackedWeights {
  static Nd4jPackedWeights of(INDArray weight) {
    INDArray copy = Tensors.zeros(weight.dataType(), weight.shape());
    Tensors.copy(weight, copy);
    return new Nd4jPackedWeights(copy);
  }

  @Override
  public int slices() {
    return 1;
  }

  @Override
  public long bytes() {
    return weight.length() * weight.dataType().width();
  }

  @Override
  public void close() {
    if (!weight.wasClosed()) {
      weight.close();
    }
  }
}
