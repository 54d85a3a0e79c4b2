package dev.spatz.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

class RoundedMatrixTest extends KernelsHarness {
  RoundedMatrixTest() {
    super(DataType.FLOAT, 0);
  }

  @Override
  Kernels create() {
    assumeTrue(OneDnn.obstacle().isEmpty(), OneDnn.obstacle());
    return new OneDnnKernels();
  }

  static Stream<Arguments> shapes() {
    return Stream.of(WeightPrecision.BF16, WeightPrecision.INT8)
        .flatMap(
            precision ->
                rowsAndColumns().map(s -> Arguments.of(precision, s.get()[0], s.get()[1])));
  }

  /** What decoding computes with. */
  private static float[] rounded(INDArray matrix, WeightPrecision precision) {
    try (Nd4jPackedWeights packed = Nd4jPackedWeights.of(matrix, precision)) {
      return Tensors.toFloats(packed.weight());
    }
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void widened_isWhatDecodingReads(WeightPrecision precision, int rows, int columns) {
    INDArray matrix = gaussian(rows, columns);
    float[] expected = rounded(matrix, precision);
    try (RoundedMatrix rounded = RoundedMatrix.of(matrix, precision)) {
      kernels.widen(rounded, matrix);
      assertArrayEquals(expected, Tensors.toFloats(matrix));
      INDArray doubles = Tensors.zeros(DataType.DOUBLE, rows, columns);
      try (Kernels reference = new Nd4jKernels()) {
        reference.widen(rounded, doubles);
      }
      assertArrayEquals(expected, Tensors.toFloats(doubles));
      if (OneDnn.multipliesBf16()) {
        INDArray half = Tensors.zeros(DataType.BFLOAT16, rows, columns);
        kernels.widen(rounded, half);
        for (int i = 0; i < expected.length; i++) {
          expected[i] = Bf16.round(expected[i]);
        }
        assertArrayEquals(expected, Tensors.toFloats(half.castTo(DataType.FLOAT)));
      }
    }
  }

  @Test
  void extremeNumbers_areKeptOrRounded() {
    float[] values = {0, -0f, Float.MIN_VALUE, 3e38f, -3e38f, 1.00390625f, 1.01171875f, -1};
    INDArray matrix = Tensors.zeros(DataType.FLOAT, 1, values.length);
    Tensors.write(matrix, 0, values, 0, values.length);
    try (RoundedMatrix rounded = RoundedMatrix.of(matrix, WeightPrecision.BF16)) {
      kernels.widen(rounded, matrix);
      float[] expected = values.clone();
      expected[2] = 0;
      expected[3] = Bf16.round(3e38f);
      expected[4] = -expected[3];
      expected[5] = 1; // of two as near, the even one
      expected[6] = 1.015625f;
      assertArrayEquals(expected, Tensors.toFloats(matrix), Arrays.toString(expected));
    }
    assertThrows(
        IllegalArgumentException.class, () -> RoundedMatrix.of(matrix, WeightPrecision.FLOAT32));
  }

  @Test
  void matrix_takesItsBytes_untilItIsClosed() {
    INDArray matrix = gaussian(64, 128);
    RoundedMatrix rounded = RoundedMatrix.of(matrix, WeightPrecision.INT8);
    assertEquals(64 * 128 + 64 * 4, rounded.bytes(), 64);
    rounded.close();
    rounded.close();
    assertThrows(IllegalStateException.class, () -> kernels.widen(rounded, matrix));
  }
}
