package dev.spatz.transformer;

import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.Tensors;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Adds the updates of adapters to the matrices of a model. */
final class AdapterMerging {
  private AdapterMerging() {}

  /** {@code W += weight·scale·B·A} for each matrix that the adapter changes. */
  static void add(Kernels kernels, WeightedAdapter adapter, ParameterSet weights) {
    int rank = adapter.adapter().config().rank();
    DataType type = weights.flat().dataType();
    for (LoraModule module : adapter.adapter().modules()) {
      long from = module.firstRow();
      INDArray matrix = weights.get(module.map() + ParameterLayout.WEIGHT);
      INDArray rows = Tensors.rows(matrix, from, from + module.outputs()); // (O,I)
      float[] a = adapter.adapter().a(module);
      float[] turned = new float[a.length];
      for (int r = 0; r < rank; r++) {
        for (int i = 0; i < module.inputs(); i++) {
          turned[i * rank + r] = a[r * module.inputs() + i];
        }
      }
      float[] b = adapter.adapter().b(module);
      for (int i = 0; i < b.length; i++) {
        b[i] *= (float) adapter.scale();
      }
      try (INDArray aT = array(type, turned, rank);
          INDArray scaledB = array(type, b, rank)) {
        kernels.linear(scaledB, aT, null, rows, rows);
      }
    }
  }

  private static INDArray array(DataType type, float[] values, int columns) {
    INDArray array = Tensors.zeros(type, values.length / columns, columns);
    Tensors.write(array, 0, values, 0, values.length);
    return array;
  }
}
