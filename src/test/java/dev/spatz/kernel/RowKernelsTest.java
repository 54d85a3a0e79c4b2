package dev.spatz.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Operations whose rows do not see each other. */
abstract class RowKernelsTest extends KernelsHarness {
  RowKernelsTest(DataType type, double tolerance) {
    super(type, tolerance);
  }

  @ParameterizedTest
  @MethodSource("rowsAndColumns")
  void embedding_equalsJudge(int rows, int columns) {
    int[] ids = indices(rows, 5);
    int[] positions = indices(rows, 4);
    agree(
        (k, a) -> k.embed(ids, positions, a[0], a[1], a[2]),
        random(of(5, columns), of(4, columns), of(rows, columns)));
    agree(
        (k, a) -> k.embed(ids, positions, a[0], null, a[1]),
        random(of(5, columns), of(rows, columns)));
    agree(
        (k, a) -> k.embedBackward(a[0], ids, positions, a[1], a[2]),
        random(of(rows, columns), of(5, columns), of(4, columns)));
    agree(
        (k, a) -> k.embedBackward(a[0], ids, positions, null, a[1]),
        random(of(rows, columns), of(4, columns)));
    agree(
        (k, a) -> k.embedBackward(a[0], ids, positions, a[1], null),
        random(of(rows, columns), of(5, columns)));
  }

  @ParameterizedTest
  @CsvSource({
    "1,1,1",
    "1,207,64",
    "3,8,13",
    "8,1,3",
    "13,64,207",
    "64,13,8",
    "207,3,1",
    "64,64,64",
    "207,207,13"
  })
  void linear_equalsJudge(int rows, int in, int out) {
    for (int variant = 0; variant < 4; variant++) {
      long[] bias = variant % 2 == 0 ? null : of(out);
      long[] residual = variant < 2 ? null : of(rows, out);
      agree(
          (k, a) -> k.linear(a[0], a[1], a[2], a[3], a[4]),
          random(of(rows, in), of(out, in), bias, residual, of(rows, out)));
    }
    agree(
        (k, a) -> k.linear(a[0], a[1], a[2], a[3], a[3]),
        random(of(rows, in), of(out, in), of(out), of(rows, out)));
  }

  @ParameterizedTest
  @CsvSource({
    "1,1,1",
    "1,207,64",
    "3,8,13",
    "8,1,3",
    "13,64,207",
    "64,13,8",
    "207,3,1",
    "64,64,64",
    "207,207,13"
  })
  void linearBackward_equalsJudge(int rows, int in, int out) {
    for (WriteMode mode : WriteMode.values()) {
      for (int nulls = 0; nulls < 8; nulls++) {
        INDArray[] arrays =
            random(
                of(rows, out),
                of(rows, in),
                of(out, in),
                (nulls & 1) == 0 ? of(rows, in) : null,
                (nulls & 2) == 0 ? of(out, in) : null,
                (nulls & 4) == 0 ? of(out) : null);
        spoilIfOverwritten(mode, arrays[4], arrays[5]);
        agree((k, a) -> k.linearBackward(a[0], a[1], a[2], a[3], mode, a[4], a[5]), arrays);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1,1,1,1,0,1",
    "1,207,8,64,0,64",
    "3,8,3,13,8,64",
    "8,1,1,3,1,4",
    "13,64,13,207,64,300",
    "64,13,8,8,13,21",
    "207,64,5,13,207,221",
    "64,64,8,64,64,192"
  })
  void lowRank_equalsJudge(int rows, int in, int rank, int out, int first, int width) {
    agree(
        (k, a) -> k.lowRank(a[0], a[1], a[2], 1.5, first, a[3], a[4]),
        random(of(rows, in), of(rank, in), of(out, rank), of(rows, rank), of(rows, width)));
    for (WriteMode mode : WriteMode.values()) {
      for (int nulls = 0; nulls < 8; nulls++) {
        INDArray[] arrays =
            random(
                of(rows, width),
                of(rows, in),
                of(rank, in),
                of(out, rank),
                of(rows, rank),
                of(rows, rank),
                (nulls & 1) == 0 ? of(rows, in) : null,
                (nulls & 2) == 0 ? of(rank, in) : null,
                (nulls & 4) == 0 ? of(out, rank) : null);
        spoilIfOverwritten(mode, arrays[7], arrays[8]);
        agree(
            (k, a) ->
                k.lowRankBackward(
                    a[0], a[1], a[2], a[3], 1.5, first, a[4], a[5], a[6], mode, a[7], a[8]),
            arrays);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("rowsAndColumns")
  void layerNorm_equalsJudge(int rows, int columns) {
    long[] matrix = of(rows, columns);
    for (long[] bias : new long[][] {null, of(columns)}) {
      agree(
          (k, a) -> k.layerNorm(a[0], a[1], a[2], 1e-3, a[3], a[4], a[5]),
          random(matrix, of(columns), bias, matrix, of(rows), of(rows)));
      // A mean and an inverse deviation that belong to x.
      INDArray[] a =
          random(matrix, matrix, of(columns), of(rows), of(rows), matrix, of(columns), bias);
      JUDGE.layerNorm(a[1], a[2], null, 1e-3, Tensors.zeros(type, matrix), a[3], a[4]);
      agree((k, b) -> k.layerNormBackward(b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]), a);
      a[6] = null;
      agree((k, b) -> k.layerNormBackward(b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]), a);
    }
  }

  @Test
  void layerNorm_keepsPrecisionFarFromZero() {
    INDArray[] a = random(of(8, 64), of(64), null, of(8, 64), of(8), of(8));
    a[0].addi(30);
    INDArray expected = Tensors.zeros(DataType.DOUBLE, 8, 64);
    INDArray wide = a[0].castTo(DataType.DOUBLE);
    JUDGE.layerNorm(wide, a[1], null, 1e-5, expected, a[4].dup(), a[5].dup());
    kernels.layerNorm(a[0], a[1], null, 1e-5, a[3], a[4], a[5]);
    assertClose("normalized", expected, a[3], 40 * tolerance);
  }

  @ParameterizedTest
  @MethodSource("rowsAndColumns")
  void rmsNorm_equalsJudge(int rows, int columns) {
    long[] matrix = of(rows, columns);
    agree(
        (k, a) -> k.rmsNorm(a[0], a[1], 1e-3, a[2], a[3]),
        random(matrix, of(columns), matrix, of(rows)));
    INDArray[] a = random(matrix, matrix, of(columns), of(rows), matrix, of(columns));
    JUDGE.rmsNorm(a[1], a[2], 1e-3, Tensors.zeros(type, matrix), a[3]);
    agree((k, b) -> k.rmsNormBackward(b[0], b[1], b[2], b[3], b[4], b[5]), a);
    a[5] = null;
    agree((k, b) -> k.rmsNormBackward(b[0], b[1], b[2], b[3], b[4], b[5]), a);
  }

  @ParameterizedTest
  @CsvSource({"1,1,1,1", "3,3,1,8", "8,4,2,13", "64,2,2,64", "13,3,3,207", "207,6,3,4"})
  void queryKeyNorm_equalsJudge(int rows, int heads, int keyValueHeads, int size) {
    AttentionShape shape = new AttentionShape(1, heads, keyValueHeads, size);
    int normed = heads + keyValueHeads;
    long[] qkv = of(rows, shape.rowWidth());
    long[] normalized = of(rows, (long) normed * size);
    INDArray[] a = random(qkv, of(size), of(size), normalized, of(rows, normed));
    agree((k, b) -> k.queryKeyNorm(b[0], shape, b[1], b[2], 1e-3, b[3], b[4]), a);
    INDArray[] d = random(qkv, of(size), of(size), null, null, of(size), of(size));
    d[3] = a[3];
    d[4] = a[4];
    agree((k, b) -> k.queryKeyNormBackward(b[0], shape, b[1], b[2], b[3], b[4], b[5], b[6]), d);
    d[5] = null;
    agree((k, b) -> k.queryKeyNormBackward(b[0], shape, b[1], b[2], b[3], b[4], b[5], b[6]), d);
  }

  @ParameterizedTest
  @EnumSource
  void gelu_equalsJudge(Gelu form) {
    for (int size : new int[] {1, 3, 8, 13, 64, 207}) {
      long[] matrix = of(size, 13);
      agree((k, a) -> k.gelu(form, a[0], a[1]), random(matrix, matrix));
      agree((k, a) -> k.geluBackward(form, a[0], a[1], a[2]), random(matrix, matrix, matrix));
      agree((k, a) -> k.geluBackward(form, a[0], a[1], a[0]), random(matrix, matrix));
    }
  }

  /** Values of scipy.special: {@code x·ndtr(x)}, and the tanh form by its definition. */
  @ParameterizedTest
  @CsvSource({
    "1, 0.841344746068543, 0.841191990608276",
    "-1, -0.158655253931457, -0.158808009391724",
    "3, 2.995950305905110, 2.996362607918227",
    "0, 0, 0",
    "40, 40, 40",
    "-40, 0, 0"
  })
  void gelu_hasKnownValues(double x, double exact, double tanh) {
    INDArray in = Tensors.zeros(type, 1, 1);
    INDArray out = Tensors.zeros(type, 1, 1);
    Tensors.put(in, 0, x);
    kernels.gelu(Gelu.EXACT, in, out);
    assertEquals(exact, Tensors.get(out, 0), Math.max(tolerance, 1e-14));
    kernels.gelu(Gelu.TANH, in, out);
    assertEquals(tanh, Tensors.get(out, 0), Math.max(tolerance, 1e-14));
  }

  @ParameterizedTest
  @EnumSource
  void geluBackward_staysFiniteFarFromZero(Gelu form) {
    INDArray[] a = random(of(1, 2), of(1, 2), of(1, 2));
    Tensors.put(a[1], 0, -1e4);
    Tensors.put(a[1], 1, 1e4);
    kernels.geluBackward(form, a[0], a[1], a[2]);
    assertEquals(0, Tensors.get(a[2], 0));
    assertEquals(Tensors.get(a[0], 1), Tensors.get(a[2], 1));
  }

  @ParameterizedTest
  @MethodSource("rowsAndColumns")
  void swiGlu_equalsJudge(int rows, int width) {
    agree((k, a) -> k.swiGlu(a[0], a[1]), random(of(rows, 2L * width), of(rows, width)));
    agree(
        (k, a) -> k.swiGluBackward(a[0], a[1], a[2]),
        random(of(rows, width), of(rows, 2L * width), of(rows, 2L * width)));
  }

  @ParameterizedTest
  @MethodSource("rowsAndColumns")
  void dropout_equalsJudge(int sequences, int columns) {
    for (int time : new int[] {1, 3}) {
      long[] matrix = of((long) sequences * time, columns);
      Dropout dropout = Dropout.of(0.3).moveTo(CounterRandom.of(7), 0, 5);
      agree((k, a) -> k.dropout(a[0], time, dropout, a[0]), random(matrix));
      agree((k, a) -> k.dropout(a[0], time, dropout, a[1]), random(matrix, matrix));
      agree((k, a) -> k.dropout(a[0], time, Dropout.NONE, a[0]), random(matrix));
      agree((k, a) -> k.dropout(a[0], time, Dropout.NONE, a[1]), random(matrix, matrix));
    }
  }

  @Test
  void dropout_dropsItsRateAndScalesTheRest() {
    INDArray x = Tensors.zeros(type, 400, 250);
    Tensors.fill(x, 1);
    kernels.dropout(x, 10, Dropout.of(0.2).moveTo(CounterRandom.of(3), 0, 0), x);
    double[] values = Tensors.toDoubles(x);
    long dropped = Arrays.stream(values).filter(v -> v == 0).count();
    // Five standard deviations of a binomial distribution.
    assertEquals(0.2 * values.length, dropped, 5 * Math.sqrt(values.length * 0.2 * 0.8));
    assertEquals(values.length - dropped, Arrays.stream(values).filter(v -> v > 1.2499).count());
  }

  @Test
  void dropout_doesNotDependOnShards() {
    int time = 3;
    CounterRandom key = CounterRandom.of(11);
    INDArray whole = gaussian(4L * time, 13);
    INDArray parts = whole.dup('c');
    kernels.dropout(whole, time, Dropout.of(0.5).moveTo(key, 0, 20), whole);
    INDArray first = Tensors.rows(parts, 0, time);
    kernels.dropout(first, time, Dropout.of(0.5).moveTo(key, 0, 20), first);
    INDArray others = Tensors.rows(parts, time, 4L * time);
    kernels.dropout(others, time, Dropout.of(0.5).moveTo(key, 0, 21), others);
    assertArrayEquals(Tensors.toDoubles(whole), Tensors.toDoubles(parts));
  }

  @ParameterizedTest
  @MethodSource("rowsAndColumns")
  void add_equalsJudge(int rows, int columns) {
    long[] matrix = of(rows, columns);
    agree((k, a) -> k.add(a[0], a[1], a[2]), random(matrix, matrix, matrix));
    agree((k, a) -> k.add(a[0], a[1], a[0]), random(matrix, matrix));
    agree((k, a) -> k.add(a[0], a[1], a[1]), random(matrix, matrix));
  }

  @ParameterizedTest
  @CsvSource({"1,1,2,0", "3,3,8,5", "13,2,64,1", "64,13,6,0", "207,1,26,13"})
  void rotation_equalsJudge(int rows, int heads, int headSize, int rest) {
    int[] positions = indices(rows, 9);
    int width = heads * headSize + rest;
    INDArray[] a = random(of(rows, width), of(9, headSize / 2), of(9, headSize / 2));
    agree((k, b) -> k.rotate(b[0], positions, heads, b[1], b[2]), a);
    agree((k, b) -> k.rotateBackward(b[0], positions, heads, b[1], b[2]), a);
  }
}
