package dev.spatz.checkpoint;

import dev.spatz.kernel.Tensors;
import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A tensor of a GGUF file, and where its values come from.
 *
 * @param name at most 64 bytes
 * @param shape (length) or (rows, columns); a vector's rows are its elements
 * @param type of its elements
 * @param values by row
 */
record GgufTensor(String name, List<Long> shape, GgufType type, Values values) {
  GgufTensor {
    shape = List.copyOf(shape);
  }

  /** Where rows come from. */
  interface Values {
    /** Reads {@code count} rows, from {@code row} on. */
    void read(long row, int count, int columns, float[] into);
  }

  long rows() {
    return shape.get(0);
  }

  int columns() {
    return shape.size() == 1 ? 1 : Math.toIntExact(shape.get(1));
  }

  long bytes() {
    return type.bytes(Math.multiplyExact(rows(), columns()));
  }

  static Values zeros() {
    return (row, count, columns, into) -> Arrays.fill(into, 0, count * columns, 0);
  }

  static Values of(float... vector) {
    return (row, count, columns, into) -> System.arraycopy(vector, (int) row, into, 0, count);
  }

  /** The rows of a parameter from {@code firstRow} on. */
  static Values of(INDArray parameter, long firstRow) {
    return (row, count, columns, into) ->
        Tensors.read(parameter, (firstRow + row) * columns, into, 0, count * columns);
  }

  /**
   * The rows of a parameter from {@code firstRow} on, reordered for interleaved rotary positions: a
   * rotated pair of ours is rows j and j + D/2 of a head, there it is rows 2j and 2j + 1.
   */
  static Values interleaved(INDArray parameter, long firstRow, int headSize) {
    return (row, count, columns, into) -> {
      for (int i = 0; i < count; i++) {
        long inHead = (row + i) % headSize;
        long ours = row + i - inHead + inHead / 2 + inHead % 2 * (headSize / 2);
        Tensors.read(parameter, (firstRow + ours) * columns, into, i * columns, columns);
      }
    };
  }
}
