package dev.spatz.kernel;

import static org.bytedeco.dnnl.global.dnnl.dnnl_bf16;
import static org.bytedeco.dnnl.global.dnnl.dnnl_f32;

import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The arrays of an operation: their types as oneDNN counts them, and where they begin. */
final class OneDnnArguments {
  private static final int MOST = 16;

  /** Only their addresses go into native code, which would not keep them from being collected. */
  private final @Nullable INDArray[] arrays = new INDArray[MOST];

  private int count;

  /** Forgets the arrays of the operation before. */
  void begin() {
    count = 0;
  }

  /** oneDNN's number of the type of an array that may be float32 or bfloat16. */
  static int type(INDArray array) {
    return array.dataType() == DataType.BFLOAT16 ? dnnl_bf16 : dnnl_f32;
  }

  static int rows(INDArray matrix) {
    return (int) matrix.size(0);
  }

  static int columns(INDArray matrix) {
    return (int) matrix.size(1);
  }

  /** Where a float32 array begins; 0 for null. */
  long floats(@Nullable INDArray array) {
    return at(dnnl_f32, array);
  }

  /** Where an array of a type begins; 0 for null. It stays reachable until the next operation. */
  long at(int type, @Nullable INDArray array) {
    if (array == null) {
      return 0;
    }
    DataType expected = type == dnnl_bf16 ? DataType.BFLOAT16 : DataType.FLOAT;
    if (array.dataType() != expected) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "array of type %s: the kernels onednn take %s; for float64 use %s=nd4j",
              array.dataType(),
              expected == DataType.FLOAT ? "float32 only" : "bfloat16 here",
              KernelBackend.PROPERTY));
    }
    if (!Tensors.isDense(array)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "array of shape %s and strides %s must be in C order without gaps",
              Arrays.toString(array.shape()),
              Arrays.toString(array.stride())));
    }
    arrays[count++] = array;
    return Tensors.address(array);
  }
}
