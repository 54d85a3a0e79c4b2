package dev.spatz.checkpoint;

import dev.spatz.kernel.Tensors;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A tensor of a GGUF file, and where its values come from.
 *
 * @param name at most 64 bytes
 * @param shape (length) or (rows, columns)
 * @param type of its elements
 * @param parameter that holds its rows, or null where all is zero
 * @param firstRow the parameter's row (of a vector: element) where it begins
 * @param rotaryHead head size of a tensor whose rows (of a vector: elements) are reordered for
 *     interleaved rotary positions, otherwise 0
 */
record GgufTensor(
    String name,
    List<Long> shape,
    GgufType type,
    @Nullable INDArray parameter,
    long firstRow,
    int rotaryHead) {
  GgufTensor {
    shape = List.copyOf(shape);
  }

  long rows() {
    return shape.get(0);
  }

  /** Elements of a row; a vector's rows are its elements. */
  int columns() {
    return shape.size() == 1 ? 1 : Math.toIntExact(shape.get(1));
  }

  long bytes() {
    return type.bytes(Math.multiplyExact(rows(), columns()));
  }

  /** Reads {@code count} rows, from {@code row} on. */
  void read(long row, int count, float[] into) {
    int columns = columns();
    if (parameter == null) {
      Arrays.fill(into, 0, count * columns, 0);
    } else if (rotaryHead == 0) {
      Tensors.read(parameter, (firstRow + row) * columns, into, 0, count * columns);
    } else {
      for (int i = 0; i < count; i++) {
        Tensors.read(
            parameter, (firstRow + splitHalf(row + i)) * columns, into, i * columns, columns);
      }
    }
  }

  /**
   * The row of ours that is a row of the file: a rotated pair of ours is rows j and j + D/2 of a
   * head, where interleaved it is rows 2j and 2j + 1.
   */
  private long splitHalf(long row) {
    long inHead = row % rotaryHead;
    return row - inHead + inHead / 2 + inHead % 2 * (rotaryHead / 2);
  }
}
