package dev.spatz.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.apache.commons.math3.linear.MatrixUtils;
import org.apache.commons.math3.linear.RealMatrix;
import org.apache.commons.math3.linear.SingularValueDecomposition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What every implementation of {@link Kernels} must do: the same as {@link NaiveKernels} to all
 * arrays of a call, inputs included, on odd sizes.
 */
abstract class KernelsTest extends RowKernelsTest {
  KernelsTest(DataType type, double tolerance) {
    super(type, tolerance);
  }

  @ParameterizedTest
  @CsvSource({
    "1,1,1,1,1",
    "2,3,1,1,8",
    "1,8,3,1,13",
    "3,13,2,2,3",
    "1,64,4,2,64",
    "1,207,3,3,8",
    "2,65,6,3,4",
    "1,3,1,1,207"
  })
  void attention_equalsJudge(int sequences, int time, int heads, int keyValueHeads, int size) {
    AttentionShape shape = new AttentionShape(time, heads, keyValueHeads, size);
    long rows = (long) sequences * time;
    long[] in = of(rows, shape.rowWidth());
    long[] out = of(rows, (long) heads * size);
    for (double rate : new double[] {0, 0.3}) {
      Dropout dropout = Dropout.of(rate).moveTo(CounterRandom.of(9), 0, 2);
      INDArray[] a = random(out, in, out, in);
      agree((k, b) -> k.attention(b[1], shape, dropout, b[2]), a);
      // The gradients' own inputs belong together: out is now that of qkv.
      agree((k, b) -> k.attentionBackward(b[0], b[1], b[2], shape, dropout, b[3]), a);
    }
  }

  /** The differences of nearly equal numbers, times large ones, keep less precision. */
  double toleranceOfLargeScores() {
    return 1e-3;
  }

  /** Scores so far apart that most weights are 0 in float32, that of a query's own key too. */
  @Test
  void attention_withstandsLargeScores() {
    AttentionShape shape = new AttentionShape(13, 2, 2, 4);
    INDArray[] a = random(of(13, 8), of(13, 24), of(13, 8), of(13, 24));
    scale(a[1], 12);
    INDArray[] expected =
        Arrays.stream(a).map(x -> x.castTo(DataType.DOUBLE).dup('c')).toArray(INDArray[]::new);
    for (INDArray[] arrays : new INDArray[][] {a, expected}) {
      Kernels k = arrays == a ? kernels : JUDGE;
      k.attention(arrays[1], shape, Dropout.NONE, arrays[2]);
      k.attentionBackward(arrays[0], arrays[1], arrays[2], shape, Dropout.NONE, arrays[3]);
    }
    for (int i = 0; i < a.length; i++) {
      assertClose("array " + i, expected[i], a[i], toleranceOfLargeScores());
    }
  }

  @Test
  void attentionDropout_doesNotDependOnShards() {
    AttentionShape shape = new AttentionShape(8, 4, 2, 3);
    CounterRandom key = CounterRandom.of(5);
    INDArray[] a = random(of(24, 24), of(24, 12), of(24, 12));
    kernels.attention(a[0], shape, Dropout.of(0.4).moveTo(key, 0, 7), a[1]);
    for (int part = 0; part < 3; part += 2) {
      int count = part == 0 ? 2 : 1;
      kernels.attention(
          Tensors.rows(a[0], 8L * part, 8L * (part + count)),
          shape,
          Dropout.of(0.4).moveTo(key, 0, 7 + part),
          Tensors.rows(a[2], 8L * part, 8L * (part + count)));
    }
    assertClose("out", a[1], a[2], tolerance);
  }

  @ParameterizedTest
  @CsvSource({
    "1,0,1,1,1,1,1",
    "1,12,2,1,8,1,13",
    "3,5,4,2,13,2,4",
    "8,0,3,3,4,4,3",
    "13,51,2,2,64,1,64",
    "13,58,2,2,64,2,64",
    "64,64,2,2,64,2,64",
    "1,206,4,1,8,9,23"
  })
  void attentionCached_equalsJudge(
      int rows, int position, int heads, int keyValueHeads, int size, int blocks, int block) {
    // Its time is not used.
    AttentionShape shape = new AttentionShape(1, heads, keyValueHeads, size);
    long[] keys = of(blocks, keyValueHeads, size, block);
    long[] values = of(keyValueHeads, (long) blocks * block, size);
    agree(
        (k, a) -> k.attentionCached(a[0], shape, position, 0, keyValueHeads, a[1], a[2], a[3]),
        random(of(rows, shape.rowWidth()), keys, values, of(rows, (long) heads * size)));
    agree(
        (k, a) ->
            k.attentionCached(
                a[0],
                shape,
                position,
                keyValueHeads / 2,
                (keyValueHeads + 1) / 2,
                a[1],
                a[2],
                a[3]),
        random(of(rows, shape.rowWidth()), keys, values, of(rows, (long) heads * size)));
  }

  @ParameterizedTest
  @CsvSource({"1,1,2,1", "3,8,13,1", "13,64,207,5", "64,3,8,64", "207,13,64,100", "8,207,3,3"})
  void crossEntropy_equalsJudge(int rows, int columns, int vocabulary, int chunk) {
    int[] targets = indices(rows, vocabulary);
    for (int r = 2; r < rows; r += 5) {
      targets[r] = -1;
    }
    double[] losses = new double[rows];
    double[] expected = new double[rows];
    for (int nulls = 0; nulls < 16; nulls++) {
      WriteMode mode = (nulls & 8) == 0 ? WriteMode.ADD : WriteMode.OVERWRITE;
      double[] factors = (nulls & 4) == 0 ? null : new double[rows];
      for (int r = 0; factors != null && r < rows; r++) {
        factors[r] = 0.3 * (r % 7) - 0.8; // of both signs, one of them near 0
      }
      INDArray scratch = gaussian(chunk, vocabulary);
      INDArray[] arrays =
          random(
              of(rows, columns),
              of(vocabulary, columns),
              (nulls & 1) == 0 ? of(rows, columns) : null,
              (nulls & 2) == 0 ? of(vocabulary, columns) : null);
      spoilIfOverwritten(mode, arrays[3]);
      agreeing(
          (k, a) ->
              k.crossEntropy(
                  a[0],
                  a[1],
                  targets,
                  0.7,
                  factors,
                  scratch,
                  k == JUDGE ? expected : losses,
                  a[2],
                  mode,
                  a[3]),
          arrays);
      assertArrayEquals(expected, losses, 20 * tolerance);
    }
    INDArray scratch = gaussian(chunk, vocabulary);
    agreeing(
        (k, a) ->
            k.crossEntropy(a[0], a[1], targets, 1, null, scratch, null, null, WriteMode.ADD, null),
        random(of(rows, columns), of(vocabulary, columns)));
  }

  /** Logits so far apart that the targets' probabilities are 0 in float32. */
  @Test
  void crossEntropy_withstandsUnlikelyTargets() {
    int[] targets = indices(13, 64);
    INDArray[] a = random(of(13, 8), of(64, 8), of(13, 8), of(64, 8));
    scale(a[0], 40);
    INDArray[] expected =
        Arrays.stream(a).map(x -> x.castTo(DataType.DOUBLE).dup('c')).toArray(INDArray[]::new);
    double[] losses = new double[13];
    double[] expectedLosses = new double[13];
    INDArray scratch = gaussian(5, 64);
    JUDGE.crossEntropy(
        expected[0],
        expected[1],
        targets,
        1,
        null,
        scratch,
        expectedLosses,
        expected[2],
        WriteMode.OVERWRITE,
        expected[3]);
    kernels.crossEntropy(
        a[0], a[1], targets, 1, null, scratch, losses, a[2], WriteMode.OVERWRITE, a[3]);
    assertTrue(Arrays.stream(expectedLosses).max().orElseThrow() > 110);
    assertArrayEquals(expectedLosses, losses, 1e-3);
    assertClose("dX", expected[2], a[2], Math.max(tolerance, 1e-3));
    assertClose("dWeight", expected[3], a[3], Math.max(tolerance, 1e-3));
  }

  @Test
  void ranges_equalJudge() {
    AdamWStep step = new AdamWStep(1e-2, 0.9, 0.99, 1e-8, 3, 0.5);
    for (int from : new int[] {0, 13, 8193}) {
      for (int length : new int[] {1, 3, 8, 64, 207, 10_000}) {
        long[] flat = of(20_000);
        agree((k, a) -> k.addRange(a[0], a[1], from, from + length), random(flat, flat));
        agreeing((k, a) -> k.sumOfSquares(a[0], from, from + length), random(flat));
        INDArray[] a = random(flat, flat, flat, flat);
        a[3].muli(a[3]);
        agree((k, b) -> k.adamW(b[0], b[1], b[2], b[3], from, from + length, 0.1, step), a);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1,1", "1,8", "8,1", "3,13", "13,3", "64,64", "65,207", "207,64"})
  void muon_equalsJudge(int rows, int columns) {
    MuonStep step = new MuonStep(0.02, 0.95, 0.1, 0.5);
    long[] shape = of(rows, columns);
    agree((k, a) -> k.muon(a[0], a[1], a[2], step), random(shape, shape, shape));
  }

  /** A random matrix has small singular values, which five steps do not quite bring to 1. */
  @ParameterizedTest
  @CsvSource({"13,64", "64,13", "128,207"})
  void muon_updatesBySingularValuesNearOne(int rows, int columns) {
    INDArray[] a = random(of(rows, columns), of(rows, columns), of(rows, columns));
    Tensors.fill(a[0], 0);
    Tensors.fill(a[2], 0);
    kernels.muon(a[0], a[1], a[2], new MuonStep(1, 0.95, 0, 1));
    RealMatrix update = MatrixUtils.createRealMatrix(rows, columns);
    for (int i = 0; i < rows * columns; i++) {
      update.setEntry(i / columns, i % columns, Tensors.get(a[0], i));
    }
    double scale = Math.sqrt(Math.max(1, (double) rows / columns));
    for (double value : new SingularValueDecomposition(update).getSingularValues()) {
      assertEquals(1, value / scale, 0.35);
    }
  }

  @Test
  void muon_withoutGradientOnlyDecays() {
    INDArray[] a = random(of(3, 4), of(3, 4), of(3, 4));
    Tensors.fill(a[0], 2);
    Tensors.fill(a[1], 0);
    Tensors.fill(a[2], 0);
    kernels.muon(a[0], a[1], a[2], new MuonStep(0.1, 0.95, 0.5, 1));
    assertEquals(1.9, Tensors.get(a[0], 11), 1e-6);
  }

  /** Three steps by the formulas in the documentation of torch.optim.AdamW, done in Python. */
  @Test
  void adamW_hasKnownValues() {
    INDArray[] a = random(of(1), of(1), of(1), of(1));
    Tensors.put(a[0], 0, 2);
    Tensors.fill(a[2], 0);
    Tensors.fill(a[3], 0);
    double[] gradients = {0.5, -1, 0.25};
    double[] weights = {1.8800000019999998, 1.8977607728517225, 1.8924612235851097};
    for (int s = 0; s < 3; s++) {
      Tensors.put(a[1], 0, gradients[s]);
      AdamWStep step = new AdamWStep(0.1, 0.9, 0.99, 1e-8, s + 1, 1);
      kernels.adamW(a[0], a[1], a[2], a[3], 0, 1, 0.1, step);
      assertEquals(weights[s], Tensors.get(a[0], 0), 1e-6);
    }
  }

  @Test
  void views_areAccepted() {
    INDArray flat = gaussian(1000);
    INDArray[] a = {
      Tensors.view(flat, 7, 13, 8), Tensors.view(flat, 200, 3, 8), Tensors.view(flat, 301, 3), null
    };
    a[3] = Tensors.rows(Tensors.zeros(type, 20, 3), 4, 17);
    agree((k, b) -> k.linear(b[0], b[1], b[2], null, b[3]), a);
  }

  @Test
  void operations_areDeterministic() {
    AttentionShape shape = new AttentionShape(64, 2, 2, 13);
    INDArray[] a = random(of(64, 78), of(64, 26), of(64, 26), of(64, 78));
    kernels.attention(a[0], shape, Dropout.NONE, a[1]);
    kernels.attentionBackward(a[2], a[0], a[1], shape, Dropout.NONE, a[3]);
    double[] first = Tensors.toDoubles(a[3]);
    kernels.attentionBackward(a[2], a[0], a[1], shape, Dropout.NONE, a[3]);
    assertArrayEquals(first, Tensors.toDoubles(a[3]));
  }

  @Test
  void operations_mayComeFromAnotherThread() throws InterruptedException {
    INDArray[] a = random(of(13, 8), of(3, 8), of(13, 3));
    Thread other = new Thread(() -> kernels.linear(a[0], a[1], null, null, a[2]));
    other.start();
    other.join();
    INDArray expected = a[2].dup('c');
    kernels.linear(a[0], a[1], null, null, a[2]);
    assertArrayEquals(Tensors.toDoubles(expected), Tensors.toDoubles(a[2]));
  }

  @Test
  void operation_refusesAfterClose() {
    kernels.close();
    kernels.close();
    INDArray a = gaussian(3, 3);
    assertThrows(IllegalStateException.class, () -> kernels.add(a, a, a));
  }
}
