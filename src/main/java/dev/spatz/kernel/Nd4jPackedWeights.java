package dev.spatz.kernel;

import org.nd4j.linalg.api.ndarray.INDArray;

/** A copy of the weights (O,I), rounded to what the precision can tell apart. */
record Nd4jPackedWeights(INDArray weight, WeightPrecision precision) implements PackedWeights {
  static Nd4jPackedWeights of(INDArray weight, WeightPrecision precision) {
    INDArray copy = Tensors.zeros(weight.dataType(), weight.shape());
    Tensors.copy(weight, copy);
    int inputs = (int) weight.size(1);
    byte[] digits = new byte[inputs];
    switch (precision) {
      case FLOAT32 -> {}
      case BF16 -> change(copy, row -> toBf16(row, inputs));
      case INT8 ->
          change(
              copy,
              row -> {
                float scale = Int8.weights(row, inputs, digits);
                for (int i = 0; i < inputs; i++) {
                  row[i] = scale * digits[i];
                }
              });
    }
    return new Nd4jPackedWeights(copy, precision);
  }

  /** The inputs (R,I) as the product sees them. */
  INDArray inputs(INDArray x) {
    if (precision == WeightPrecision.FLOAT32) {
      return x;
    }
    INDArray copy = Tensors.zeros(x.dataType(), x.shape());
    Tensors.copy(x, copy);
    int inputs = (int) x.size(1);
    byte[] high = new byte[inputs];
    byte[] low = new byte[inputs];
    change(
        copy,
        row -> {
          if (precision == WeightPrecision.BF16) {
            toBf16(row, inputs);
          } else {
            float scale = Int8.inputs(row, inputs, high, low);
            for (int i = 0; i < inputs; i++) {
              row[i] = scale * (Int8.BASE * high[i] + low[i]);
            }
          }
        });
    return copy;
  }

  private interface Change {
    void apply(float[] row);
  }

  private static void change(INDArray matrix, Change change) {
    float[] row = new float[(int) matrix.size(1)];
    for (int r = 0; r < matrix.size(0); r++) {
      Tensors.read(matrix, (long) r * row.length, row, 0, row.length);
      change.apply(row);
      Tensors.write(matrix, (long) r * row.length, row, 0, row.length);
    }
  }

  private static void toBf16(float[] row, int count) {
    for (int i = 0; i < count; i++) {
      row[i] = Bf16.round(row[i]);
    }
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
