package dev.spatz.checkpoint;

import dev.spatz.transformer.Parameter;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A tensor of a file, and the part of a {@link Parameter} that holds it.
 *
 * @param name of the tensor
 * @param shape of the tensor
 * @param parameter name of the parameter, or null for a tensor that is there for others' sake and
 *     is zero, such as the biases that GPT-2's files must have
 * @param firstRow the parameter's row (of a vector: element) where the tensor begins; further rows
 *     may belong to another tensor
 * @param transposed whether the tensor is the parameter's transpose
 */
record TensorMapping(
    String name, List<Long> shape, @Nullable String parameter, long firstRow, boolean transposed) {
  TensorMapping {
    shape = List.copyOf(shape);
  }

  /** A tensor that is a parameter as it is. */
  static TensorMapping of(String name, String parameter, long... shape) {
    return ofRows(name, parameter, 0, shape);
  }

  /** A tensor that is some rows of a parameter. */
  static TensorMapping ofRows(String name, String parameter, long firstRow, long... shape) {
    return new TensorMapping(name, list(shape), parameter, firstRow, false);
  }

  /** A tensor that is a parameter's transpose; the shape is the tensor's. */
  static TensorMapping transposed(String name, String parameter, long rows, long columns) {
    return new TensorMapping(name, List.of(rows, columns), parameter, 0, true);
  }

  /** A tensor of zeros. */
  static TensorMapping zeros(String name, long... shape) {
    return new TensorMapping(name, list(shape), null, 0, false);
  }

  /** Whether it holds the token embeddings. */
  boolean isEmbeddings() {
    return "tokens".equals(parameter);
  }

  /** The number of elements. */
  long elements() {
    return shape.stream().reduce(1L, Math::multiplyExact);
  }

  /** The tensor's first element in the parameter, where it is not transposed. */
  long firstElement() {
    return shape.size() == 1 ? firstRow : firstRow * shape.get(1);
  }

  /** Rows of a tensor that is transposed; each is a column of the parameter. */
  int lines() {
    return Math.toIntExact(shape.get(0));
  }

  /** Columns of a tensor that is transposed; each is a row of the parameter. */
  int width() {
    return Math.toIntExact(shape.get(1));
  }

  private static List<Long> list(long... shape) {
    return Arrays.stream(shape).boxed().toList();
  }
}
