package dev.spatz.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Attention to a cache: the same bits however many rows come at once, in all the forms that oneDNN
 * might compute in another order, and near the reference.
 */
class CachedAttentionTest {
  private static final int BLOCK = 64;
  private static final int LONG = 1_100; // beyond 1,024 keys a single row would be summed otherwise

  private final Kernels reference = new Nd4jKernels();
  private Kernels kernels = reference;

  @BeforeEach
  void create() {
    assumeTrue(OneDnn.obstacle().isEmpty(), OneDnn.obstacle());
    kernels = new OneDnnKernels();
  }

  @AfterEach
  void close() {
    kernels.close();
    reference.close();
  }

  static Stream<AttentionShape> shapes() {
    return Stream.of(
        new AttentionShape(1, 4, 4, 20),
        new AttentionShape(1, 6, 6, 64), // as many heads as rows of some calls
        new AttentionShape(1, 8, 2, 16),
        new AttentionShape(1, 4, 4, 52),
        new AttentionShape(1, 4, 2, 20),
        new AttentionShape(1, 3, 3, 64),
        new AttentionShape(1, 5, 5, 64),
        new AttentionShape(1, 3, 1, 10),
        new AttentionShape(1, 72, 72, 2), // more scores than are held at once
        new AttentionShape(1, 1, 1, 2));
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void bits_doNotDependOnTheRowsAtOnce(AttentionShape shape) {
    float[] qkv = qkv(shape, LONG);
    float[] expected = attend(kernels, shape, qkv, LONG, LONG, 1);
    for (int rows : new int[] {1, 3, 64, 100}) {
      float[] actual = attend(kernels, shape, qkv, LONG, rows, 1);
      assertArrayEquals(expected, actual, () -> rows + " rows at once");
    }
    int parts = Math.min(2, shape.keyValueHeads());
    for (int rows : new int[] {1, LONG}) {
      float[] actual = attend(kernels, shape, qkv, LONG, rows, parts);
      assertArrayEquals(expected, actual, () -> rows + " rows at once, heads apart");
    }
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void results_areNearTheReference(AttentionShape shape) {
    int rows = 200;
    float[] qkv = qkv(shape, rows);
    float[] expected = attend(reference, shape, qkv, rows, rows, 1);
    assertArrayEquals(expected, attend(kernels, shape, qkv, rows, rows, 1), 2e-6f);
    assertArrayEquals(expected, attend(kernels, shape, qkv, rows, 1, 1), 2e-6f);
  }

  private static int width(AttentionShape shape) {
    return (shape.heads() + 2 * shape.keyValueHeads()) * shape.headSize();
  }

  private static float[] qkv(AttentionShape shape, int rows) {
    CounterRandom random = CounterRandom.of(3);
    float[] values = new float[rows * width(shape)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.gaussian(i);
    }
    return values;
  }

  /** The results of a sequence's rows, of which so many come at once, their heads in parts. */
  private static float[] attend(
      Kernels kernels, AttentionShape shape, float[] qkv, int count, int atOnce, int parts) {
    int groups = shape.keyValueHeads();
    int size = shape.headSize();
    int width = width(shape);
    int outWidth = shape.heads() * size;
    int blocks = (count + BLOCK - 1) / BLOCK;
    float[] results = new float[count * outWidth];
    try (INDArray keys = Tensors.zeros(DataType.FLOAT, blocks, groups, size, BLOCK);
        INDArray values = Tensors.zeros(DataType.FLOAT, groups, (long) blocks * BLOCK, size)) {
      for (int from = 0; from < count; from += atOnce) {
        int rows = Math.min(atOnce, count - from);
        try (INDArray part = Tensors.zeros(DataType.FLOAT, rows, width);
            INDArray out = Tensors.zeros(DataType.FLOAT, rows, outWidth)) {
          Tensors.write(part, 0, qkv, from * width, rows * width);
          for (int i = 0; i < parts; i++) {
            int first = i * groups / parts;
            int taken = (i + 1) * groups / parts - first;
            kernels.attentionCached(part, shape, from, first, taken, keys, values, out);
          }
          Tensors.read(out, 0, results, from * outWidth, rows * outWidth);
        }
      }
    }
    return results;
  }
}
