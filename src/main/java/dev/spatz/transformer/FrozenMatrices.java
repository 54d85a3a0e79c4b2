package dev.spatz.transformer;

import dev.spatz.kernel.RoundedMatrix;
import dev.spatz.kernel.Tensors;
import dev.spatz.kernel.WeightPrecision;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The matrices of the blocks of a model that stays as it is, rounded, by parameter. */
final class FrozenMatrices implements AutoCloseable {
  private final Map<String, RoundedMatrix> matrices = new HashMap<>();

  /** Reads them one after the other, so that but one is there in float32 at a time. */
  static FrozenMatrices read(
      TransformerConfig config, WeightPrecision precision, Transformer.MatrixSource source)
      throws IOException {
    FrozenMatrices all = new FrozenMatrices();
    try {
      for (Parameter parameter : ParameterLayout.of(config).maps()) {
        try (INDArray matrix = Tensors.zeros(DataType.FLOAT, parameter.shape())) {
          source.read(parameter.name(), matrix);
          all.matrices.put(parameter.name(), RoundedMatrix.of(matrix, precision));
        }
      }
      return all;
    } catch (Throwable e) {
      all.close();
      throw e;
    }
  }

  /** That of a parameter, or null if it is none of them. */
  @Nullable RoundedMatrix find(String parameter) {
    return matrices.get(parameter);
  }

  /** Elements of the largest. */
  long largest() {
    return matrices.values().stream()
        .mapToLong(each -> (long) each.rows() * each.columns())
        .max()
        .orElse(0);
  }

  /** Bytes off the heap. */
  long bytes() {
    return matrices.values().stream().mapToLong(RoundedMatrix::bytes).sum();
  }

  @Override
  public void close() {
    matrices.values().forEach(RoundedMatrix::close);
  }
}
