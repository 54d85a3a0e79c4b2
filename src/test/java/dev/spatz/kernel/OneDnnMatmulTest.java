package dev.spatz.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.Random;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Products of matrices that lie strided within others, as the heads of attention do. */
class OneDnnMatmulTest {
  private static final int[] SIZES = {1, 3, 65};
  private static final int ROOM = 60_000;
  private static final int LARGE = 600 * 600;

  private final Random random = new Random(3);
  private final INDArray a = gaussian(ROOM);
  private final INDArray b = gaussian(ROOM);
  private final INDArray c = gaussian(ROOM);
  private final INDArray more = gaussian(ROOM);
  private OneDnnContext context;
  private OneDnnMatmul matmul;
  private boolean packing;

  private INDArray gaussian(int size) {
    INDArray array = Tensors.zeros(DataType.FLOAT, size);
    double[] values = DoubleStream.generate(random::nextGaussian).limit(size).toArray();
    Tensors.write(array, 0, values, 0, size);
    return array;
  }

  @BeforeEach
  void open() {
    assumeTrue(OneDnn.obstacle().isEmpty(), OneDnn.obstacle());
    context = new OneDnnContext();
    matmul = new OneDnnMatmul(context, 1);
  }

  @AfterEach
  void close() {
    // Null where oneDNN is absent and the test was skipped.
    if (context != null) {
      context.close();
    }
  }

  private void check(
      int batch, int m, int n, int k, boolean turnA, boolean turnB, int extras, int gap) {
    // Matrices of a batch lie side by side, with a gap, in rows that are wider by 5.
    int aBatch = (turnA ? m : k) + gap;
    int bBatch = (turnB ? k : n) + gap;
    int aWidth = batch * aBatch + 5;
    int bWidth = batch * bBatch + 5;
    int cWidth = (extras & 2) != 0 ? n : batch * (n + gap) + 5;
    int cBatch = (extras & 2) != 0 ? m * n : n + gap;
    int aRow = turnA ? 1 : aWidth;
    int aColumn = turnA ? aWidth : 1;
    int bRow = turnB ? 1 : bWidth;
    int bColumn = turnB ? bWidth : 1;
    float[] left = Tensors.toFloats(a);
    float[] right = Tensors.toFloats(b);
    float[] expected = Tensors.toFloats(c);
    float[] added = Tensors.toFloats(more);
    for (int g = 0; g < batch; g++) {
      for (int i = 0; i < m; i++) {
        for (int j = 0; j < n; j++) {
          double sum = 0;
          for (int l = 0; l < k; l++) {
            sum +=
                (double) left[g * aBatch + i * aRow + l * aColumn]
                    * right[g * bBatch + l * bRow + j * bColumn];
          }
          int at = g * cBatch + i * cWidth + j;
          sum = (extras & 2) != 0 ? sum * 0.5f + added[i * n + j] : sum;
          expected[at] = (float) ((extras & 1) != 0 ? sum + expected[at] : sum);
        }
      }
    }
    matmul.size(batch, m, n, k);
    matmul.a(Tensors.address(a), aBatch, aRow, aColumn);
    matmul.b(Tensors.address(b), bBatch, bRow, bColumn);
    if ((extras & 1) != 0) {
      matmul.accumulate();
    }
    if ((extras & 2) != 0) {
      matmul.scale(0.5f).plus(Tensors.address(more), m);
    }
    if (packing) {
      matmul.pack();
    }
    matmul.into(Tensors.address(c), cBatch, cWidth);
    float[] actual = Tensors.toFloats(c);
    for (int i = 0; i < ROOM; i++) {
      if (!(Math.abs(expected[i] - actual[i]) <= 1e-4)) {
        String what = "batch %d, %dx%dx%d, turned %b %b, extras %d, gap %d, at %d";
        assertEquals(
            expected[i], actual[i], what.formatted(batch, m, n, k, turnA, turnB, extras, gap, i));
      }
    }
    Tensors.copy(more, c);
  }

  @Test
  void product_equalsDefinitionInAllLayouts() {
    for (int batch : new int[] {1, 3}) {
      for (int m : SIZES) {
        for (int n : SIZES) {
          for (int k : SIZES) {
            for (int variant = 0; variant < (batch == 1 ? 8 : 16); variant++) {
              int extras = (variant & 4) == 0 ? 0 : 3;
              int gap = variant < 8 ? 0 : 4;
              check(batch, m, n, k, (variant & 1) != 0, (variant & 2) != 0, extras, gap);
            }
          }
        }
      }
    }
  }

  @Test
  void product_withPackedOperand_equalsDefinition() {
    for (boolean turned : new boolean[] {false, true}) {
      for (int n : new int[] {1, 13, 70}) {
        packing = true;
        check(1, 520, n, 33, false, turned, 0, 0);
        check(1, 512, n, 1, true, turned, 1, 0);
      }
    }
  }

  @Test
  void product_ofManyTurnedRows_equalsDefinition() {
    check(1, 4161, 3, 7, true, false, 0, 0);
    check(1, 4161, 3, 7, true, false, 1, 0);
  }

  /** Rows that fill no block, each of whole pages. */
  @Test
  void product_ofManyLongTurnedRows_equalsDefinition() {
    int rows = 4161;
    int columns = 3072;
    try (INDArray result = Tensors.zeros(DataType.FLOAT, rows, columns)) {
      matmul.size(1, rows, columns, 1);
      matmul.a(Tensors.address(a), 0, 1, rows).b(Tensors.address(b), 0, columns, 1);
      matmul.into(Tensors.address(result), 0, columns);
      for (int row : new int[] {0, 4159, 4160}) {
        for (int column : new int[] {0, 2047, 2048, 3071}) {
          assertEquals(
              Tensors.get(a, row) * Tensors.get(b, column),
              Tensors.get(result, (long) row * columns + column),
              1e-6);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "2,600,33,N,N",
    "65,13,7,N,N",
    "513,511,510,N,N",
    "3,2,1,N,N",
    "2,1,13,T,N",
    "511,64,300,T,N",
    "31,129,5,T,N",
    "513,512,514,N,T",
    "512,512,512,T,T"
  })
  void product_byGemm_equalsPrimitives(int m, int n, int k, char turnA, char turnB) {
    assumeTrue(OneDnn.hasGemm(), "no such routine here");
    int gap = 3; // rows lie within wider ones
    INDArray left = gaussian(LARGE);
    INDArray right = gaussian(LARGE);
    INDArray expected = gaussian(LARGE);
    INDArray actual = expected.dup('c');
    int aWidth = (turnA == 'T' ? m : k) + gap;
    int bWidth = (turnB == 'T' ? k : n) + gap;
    for (WriteMode mode : WriteMode.values()) {
      for (boolean whole : new boolean[] {false, true}) {
        (whole ? matmul.size(m, n, k) : matmul.size(1, m, n, k))
            .a(Tensors.address(left), 0, turnA == 'T' ? 1 : aWidth, turnA == 'T' ? aWidth : 1)
            .b(Tensors.address(right), 0, turnB == 'T' ? 1 : bWidth, turnB == 'T' ? bWidth : 1)
            .scale(0.5f)
            .times(3)
            .write(mode);
        if (whole) {
          assertTrue(matmul.byGemm(), "computed by a primitive");
        }
        matmul.into(Tensors.address(whole ? actual : expected), 0, n + gap);
      }
      float[] judged = Tensors.toFloats(expected);
      float[] found = Tensors.toFloats(actual);
      for (int i = 0; i < judged.length; i++) {
        assertEquals(judged[i], found[i], 1e-3, "element " + i);
      }
    }
  }
}
