package dev.spatz.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.provider.Arguments;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Does the same with {@link Kernels} under test and with {@link NaiveKernels}, and compares. */
abstract class KernelsHarness {
  static final NaiveKernels JUDGE = new NaiveKernels();

  final DataType type;
  final double tolerance;
  private final Random random = new Random(42);
  Kernels kernels;

  /**
   * @param tolerance largest max|a − b| / max|b| of an array
   */
  KernelsHarness(DataType type, double tolerance) {
    this.type = type;
    this.tolerance = tolerance;
  }

  abstract Kernels create();

  @BeforeEach
  void open() {
    kernels = create();
  }

  @AfterEach
  void close() {
    // Null where the implementation is absent and the test was skipped.
    if (kernels != null) {
      kernels.close();
    }
  }

  /** An operation on given arrays. */
  interface Operation {
    double apply(Kernels kernels, @Nullable INDArray[] arrays);
  }

  /** An operation without a result but its arrays. */
  interface Change {
    void apply(Kernels kernels, @Nullable INDArray[] arrays);
  }

  /** Random arrays of the given shapes; null stays null. */
  final @Nullable INDArray[] random(long @Nullable []... shapes) {
    return Arrays.stream(shapes).map(s -> s == null ? null : gaussian(s)).toArray(INDArray[]::new);
  }

  /** The value that random arrays have instead of this one. */
  double representable(double value) {
    return value;
  }

  final INDArray gaussian(long... shape) {
    INDArray array = Tensors.zeros(type, shape);
    double[] values =
        DoubleStream.generate(random::nextGaussian)
            .map(this::representable)
            .limit(array.length())
            .toArray();
    Tensors.write(array, 0, values, 0, values.length);
    return array;
  }

  final void scale(INDArray array, double factor) {
    double[] values = Tensors.toDoubles(array);
    Arrays.setAll(values, i -> representable(factor * values[i]));
    Tensors.write(array, 0, values, 0, values.length);
  }

  /** What is overwritten may be anything, also no number. */
  static void spoilIfOverwritten(WriteMode mode, @Nullable INDArray... gradients) {
    for (INDArray gradient : gradients) {
      if (mode == WriteMode.OVERWRITE && gradient != null) {
        Tensors.fill(gradient, Double.NaN);
      }
    }
  }

  static long[] of(long... shape) {
    return shape;
  }

  final void agree(Change change, @Nullable INDArray... arrays) {
    agreeing(
        (k, a) -> {
          change.apply(k, a);
          return 0;
        },
        arrays);
  }

  /** The arrays, after the tested implementation and the judge did the same to copies of them. */
  final void agreeing(Operation operation, @Nullable INDArray... arrays) {
    INDArray[] expected =
        Arrays.stream(arrays)
            .map(a -> a == null ? null : a.castTo(DataType.DOUBLE).dup('c'))
            .toArray(INDArray[]::new);
    double expectedResult = operation.apply(JUDGE, expected);
    double result = operation.apply(kernels, arrays);
    assertEquals(expectedResult, result, tolerance * Math.max(1, Math.abs(expectedResult)));
    for (int i = 0; i < arrays.length; i++) {
      if (arrays[i] != null) {
        assertClose("array " + i, expected[i], arrays[i], tolerance);
      }
    }
  }

  static void assertClose(String name, INDArray expected, INDArray actual, double tolerance) {
    double[] e = Tensors.toDoubles(expected);
    double[] a = Tensors.toDoubles(actual);
    double largest = 0;
    double difference = 0;
    for (int i = 0; i < e.length; i++) {
      assertTrue(Double.isFinite(a[i]), name + " has " + a[i] + " at " + i);
      largest = Math.max(largest, Math.abs(e[i]));
      difference = Math.max(difference, Math.abs(e[i] - a[i]));
    }
    assertTrue(
        difference <= tolerance * largest,
        "%s differs by %g where the largest is %g".formatted(name, difference, largest));
  }

  static Stream<Arguments> rowsAndColumns() {
    return pairs(1, 3, 8, 13, 64, 207);
  }

  private static Stream<Arguments> pairs(int... sizes) {
    return Arrays.stream(sizes)
        .boxed()
        .flatMap(a -> Arrays.stream(sizes).mapToObj(b -> Arguments.of(a, b)));
  }

  final int[] indices(int count, int bound) {
    return random.ints(count, 0, bound).toArray();
  }
}
