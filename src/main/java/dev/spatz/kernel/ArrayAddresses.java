package dev.spatz.kernel;

import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Where the arrays of an operation are. */
final class ArrayAddresses {
  private static final int MOST = 16;

  /** Only their addresses go into native code, which would not keep them from being collected. */
  private final @Nullable INDArray[] arrays = new INDArray[MOST];

  private int count;

  /** Begins an operation. */
  void begin() {
    count = 0;
  }

  /** Where an array begins; 0 for null. The array stays reachable until the next operation. */
  long of(@Nullable INDArray array) {
    if (array == null) {
      return 0;
    }
    if (array.dataType() != DataType.FLOAT) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "array of type %s: the kernels onednn take float32 only; for float64 use %s=nd4j",
              array.dataType(),
              KernelBackend.PROPERTY));
    }
    long stride = 1;
    for (int i = array.rank() - 1; i >= 0; i--) {
      if (array.size(i) > 1 && array.stride(i) != stride) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "array of shape %s and strides %s must be in C order without gaps",
                Arrays.toString(array.shape()),
                Arrays.toString(array.stride())));
      }
      stride *= array.size(i);
    }
    arrays[count++] = array;
    return Tensors.address(array);
  }
}
