package dev.spatz.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.Arrays;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Linear maps with packed weights of every precision, of oneDNN and of the reference. */
class PackedLinearTest extends KernelsHarness {
  PackedLinearTest() {
    super(DataType.FLOAT, 5e-6);
  }

  @Override
  Kernels create() {
    assumeTrue(OneDnn.obstacle().isEmpty(), OneDnn.obstacle());
    return new OneDnnKernels();
  }

  private static void assumePossible(WeightPrecision precision) {
    try {
      precision.require(KernelBackend.ONEDNN);
    } catch (IllegalStateException e) {
      assumeTrue(false, e.getMessage());
    }
  }

  static Stream<Arguments> shapes() {
    int[][] shapes = {
      {1, 1, 1},
      {3, 13, 8},
      {1, 207, 65},
      {2, 832, 130},
      {8, 64, 207},
      {64, 207, 13},
      {5, 208, 1301}
    };
    return Arrays.stream(WeightPrecision.values())
        .flatMap(p -> Arrays.stream(shapes).map(s -> Arguments.of(p, s[0], s[1], s[2])));
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void linear_equalsJudge(WeightPrecision precision, int rows, int inputs, int outputs) {
    assumePossible(precision);
    INDArray[] a =
        random(
            of(rows, inputs),
            of(outputs, inputs),
            of(outputs),
            of(rows, outputs),
            of(rows, outputs));
    scale(a[0], 30);
    for (boolean added : new boolean[] {false, true}) {
      agree(
          (k, b) ->
              linear(k, b[0], b[1], precision, added ? b[2] : null, added ? b[3] : null, b[4]),
          a);
      try (Kernels reference = new Nd4jKernels()) {
        INDArray expected = a[4].dup('c');
        INDArray y = gaussian(rows, outputs);
        linear(reference, a[0], a[1], precision, added ? a[2] : null, added ? a[3] : null, y);
        assertClose("the reference's result", expected, y, tolerance);
      }
    }
    // The residual may be the result itself.
    agree((k, b) -> linear(k, b[0], b[1], precision, b[2], b[4], b[4]), a);
  }

  private static void linear(
      Kernels kernels,
      INDArray x,
      INDArray weight,
      WeightPrecision precision,
      @Nullable INDArray bias,
      @Nullable INDArray residual,
      INDArray y) {
    try (PackedWeights packed = kernels.pack(weight, precision)) {
      kernels.linear(x, packed, bias, residual, y);
    }
  }

  @ParameterizedTest
  @EnumSource(WeightPrecision.class)
  void rowsBits_doNotDependOnTheOthers(WeightPrecision precision) {
    assumePossible(precision);
    for (int[] shape :
        new int[][] {
          {768, 2304}, {1024, 128}, {1025, 193}, {1536, 384}, {3072, 768}, {207, 1301}, {13, 65}
        }) {
      INDArray[] a = random(of(64, shape[0]), of(shape[1], shape[0]), of(shape[1]));
      float[] expected = firstRow(a, 64, precision);
      for (int rows : new int[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 20, 28, 40, 56}) {
        assertArrayEquals(expected, firstRow(a, rows, precision), () -> rows + " rows");
      }
    }
  }

  private float[] firstRow(INDArray[] a, int rows, WeightPrecision precision) {
    int outputs = (int) a[1].size(0);
    INDArray y = gaussian(rows, outputs);
    linear(kernels, Tensors.rows(a[0], 0, rows), a[1], precision, a[2], null, y);
    return Arrays.copyOf(Tensors.toFloats(y), outputs);
  }

  @ParameterizedTest
  @EnumSource(WeightPrecision.class)
  void slicesAtOnce_haveTheBitsOfEach(WeightPrecision precision) {
    assumePossible(precision);
    int[][] shapes = {{384, 1152}, {1536, 384}, {768, 2304}, {208, 1301}, {207, 1301}, {13, 65}};
    for (int[] shape : shapes) {
      for (int rows : new int[] {1, 2, 8, 9}) {
        INDArray x = gaussian(rows, shape[0]);
        INDArray bias = gaussian(shape[1]);
        INDArray expected = gaussian(rows, shape[1]); // the residual at first
        INDArray actual = expected.dup('c');
        try (PackedWeights packed = kernels.pack(gaussian(shape[1], shape[0]), precision)) {
          for (int slice = 0; slice < packed.slices(); slice++) {
            kernels.linear(x, packed, slice, 1, bias, expected, expected);
          }
          int some = Math.max(2, 2 * packed.slices() / 3);
          for (int first = 0; first < packed.slices(); first += some) {
            int taken = Math.min(some, packed.slices() - first);
            kernels.linear(x, packed, first, taken, bias, actual, actual);
          }
        }
        assertArrayEquals(Tensors.toFloats(expected), Tensors.toFloats(actual));
      }
    }
  }

  /** A weight is off by at most half a step of its row, whatever the other rows are. */
  @ParameterizedTest
  @EnumSource(WeightPrecision.class)
  void weights_areNear(WeightPrecision precision) {
    assumePossible(precision);
    INDArray weight = gaussian(13, 64);
    Tensors.scale(Tensors.rows(weight, 3, 4), 1e-6);
    INDArray identity = Tensors.zeros(DataType.FLOAT, 64, 64);
    for (int i = 0; i < 64; i++) {
      Tensors.put(identity, 65L * i, 1);
    }
    INDArray y = gaussian(64, 13);
    linear(kernels, identity, weight, precision, null, null, y);
    for (int o = 0; o < 13; o++) {
      double largest = 0;
      double difference = 0;
      for (int i = 0; i < 64; i++) {
        double w = Tensors.get(weight, 64L * o + i);
        largest = Math.max(largest, Math.abs(w));
        difference = Math.max(difference, Math.abs(w - Tensors.get(y, 13L * i + o)));
      }
      double step =
          switch (precision) {
            case FLOAT32 -> 0;
            case BF16 -> largest / 128;
            case INT8 -> largest / 127;
          };
      assertTrue(difference <= 0.5001 * step, "row " + o + " is off by " + difference);
    }
  }

  @ParameterizedTest
  @EnumSource(WeightPrecision.class)
  void zerosAndTinyRows_areWithstood(WeightPrecision precision) {
    assumePossible(precision);
    INDArray x = Tensors.zeros(DataType.FLOAT, 3, 8);
    Tensors.put(x, 8, 1e-38);
    INDArray y = gaussian(3, 13);
    linear(kernels, x, gaussian(13, 8), precision, null, null, y);
    for (float value : Tensors.toFloats(y)) {
      assertEquals(0, value, 1e-30);
    }
    linear(kernels, gaussian(3, 8), Tensors.zeros(DataType.FLOAT, 13, 8), precision, null, null, y);
    assertArrayEquals(new float[39], Tensors.toFloats(y), 0);
  }

  @ParameterizedTest
  @EnumSource(WeightPrecision.class)
  void notANumber_isNotHidden(WeightPrecision precision) {
    assumePossible(precision);
    for (double bad : new double[] {Double.NaN, Double.POSITIVE_INFINITY}) {
      INDArray x = gaussian(2, 8);
      Tensors.put(x, 3, bad);
      INDArray y = gaussian(2, 13);
      linear(kernels, x, gaussian(13, 8), precision, null, null, y);
      float[] values = Tensors.toFloats(y);
      for (int o = 0; o < 13; o++) {
        assertTrue(!Float.isFinite(values[o]), "a finite result of " + bad);
        assertTrue(Float.isFinite(values[13 + o]), "another row's result");
      }
    }
  }

  @ParameterizedTest
  @EnumSource(WeightPrecision.class)
  void bytes_areThoseOfTheWeights(WeightPrecision precision) {
    assumePossible(precision);
    PackedWeights packed = kernels.pack(gaussian(640, 512), precision);
    long expected = 640L * 512 * precision.bytes();
    assertTrue(packed.bytes() >= expected && packed.bytes() < 1.05 * expected);
    packed.close();
    packed.close();
    assertThrows(
        IllegalStateException.class,
        () -> kernels.linear(gaussian(1, 512), packed, 0, 1, null, null, gaussian(1, 640)));
  }
}
