package dev.spatz.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

class TensorsTest {
  private static final int LENGTH = 10_000;

  /** 0, 1, 2, … */
  private static INDArray counting(DataType type) {
    INDArray flat = Tensors.zeros(type, LENGTH);
    Tensors.write(flat, 0, IntStream.range(0, LENGTH).mapToDouble(i -> i).toArray(), 0, LENGTH);
    return flat;
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "DOUBLE"})
  void view_sharesMemoryInRowOrder(DataType type) {
    INDArray flat = counting(type);
    INDArray view = Tensors.view(flat, 7, 13, 8);
    assertArrayEquals(new long[] {13, 8}, view.shape());
    assertEquals(7 + 8 + 2, Tensors.get(view, 10));
    assertEquals(7 + 8 + 2, view.getDouble(1, 2));
    Tensors.put(view, 10, -1);
    assertEquals(-1, Tensors.get(flat, 17));
    Tensors.fill(Tensors.rows(view, 2, 4), 5);
    assertEquals(22, Tensors.get(flat, 22));
    assertEquals(5, Tensors.get(flat, 23));
    assertEquals(5, Tensors.get(flat, 38));
    assertEquals(39, Tensors.get(flat, 39));
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "DOUBLE"})
  void rowsOfAView_readAndWriteTheirPart(DataType type) {
    INDArray flat = counting(type);
    INDArray row = Tensors.rows(Tensors.view(flat, 7, 13, 8), 3, 4);
    assertArrayEquals(new float[] {31, 32, 33, 34, 35, 36, 37, 38}, Tensors.toFloats(row));
    Tensors.write(row, 1, new float[] {9, 8, 7}, 1, 2);
    assertArrayEquals(new double[] {31, 8, 7, 34, 35, 36, 37, 38}, Tensors.toDoubles(row));
    assertEquals(8, Tensors.get(flat, 32));
  }

  /** ND4J's own views of these are empty. */
  @Test
  void rowsAtTheEndOfAView_areThere() {
    INDArray flat = Tensors.zeros(DataType.FLOAT, 400);
    for (int offset : new int[] {0, 8, 100, 160}) {
      INDArray view = Tensors.view(flat, offset, 30, 8);
      for (int from = 0; from < 30; from++) {
        INDArray rows = Tensors.rows(view, from, 30);
        Tensors.put(rows, 1, offset + from);
        assertArrayEquals(new long[] {30 - from, 8}, rows.shape());
        assertEquals(offset + from, Tensors.get(flat, offset + 8L * from + 1));
      }
    }
    INDArray view = Tensors.view(flat, 8, 30, 8);
    assertThrows(IndexOutOfBoundsException.class, () -> Tensors.rows(view, 29, 31));
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "DOUBLE"})
  void readAndWrite_areInverse(DataType type) {
    INDArray flat = Tensors.zeros(type, LENGTH);
    double[] values = IntStream.range(0, LENGTH).mapToDouble(i -> i / 8.0).toArray();
    Tensors.write(flat, 3, values, 2, LENGTH - 5);
    double[] doubles = new double[LENGTH];
    Tensors.read(flat, 3, doubles, 2, LENGTH - 5);
    float[] floats = new float[LENGTH];
    Tensors.read(flat, 3, floats, 2, LENGTH - 5);
    assertEquals(0, doubles[1]);
    assertEquals(0, doubles[LENGTH - 3]);
    for (int i = 2; i < LENGTH - 3; i++) {
      assertEquals(values[i], doubles[i]);
      assertEquals(values[i], floats[i]);
    }
    INDArray again = Tensors.zeros(type, LENGTH);
    Tensors.write(again, 1, floats, 0, LENGTH - 1);
    assertEquals(values[100], Tensors.get(again, 101));
    assertEquals(0, Tensors.get(again, 0));
  }

  @Test
  void copy_convertsTypes() {
    INDArray floats = Tensors.zeros(DataType.FLOAT, LENGTH);
    Tensors.copy(counting(DataType.DOUBLE), floats);
    assertEquals(LENGTH - 1, Tensors.get(floats, LENGTH - 1));
  }

  @Test
  void zeros_areZeroInTheirTypeAndShape() {
    INDArray zeros = Tensors.zeros(DataType.DOUBLE, 3, 1, 2);
    assertArrayEquals(new long[] {3, 1, 2}, zeros.shape());
    assertEquals(DataType.DOUBLE, zeros.dataType());
    assertArrayEquals(new double[6], Tensors.toDoubles(zeros));
  }

  @Test
  void view_refusesWhatItDoesNotHold() {
    INDArray flat = counting(DataType.FLOAT);
    assertRefused("elements 9,999…10,001 are not within", () -> Tensors.view(flat, 9999, 3));
    assertRefused("elements -1…", () -> Tensors.view(flat, -1, 3));
    assertRefused("[2, 3]", () -> Tensors.view(Tensors.zeros(DataType.FLOAT, 2, 3), 0, 2));
  }

  @Test
  void reading_refusesWhatTheArrayDoesNotHold() {
    INDArray flat = counting(DataType.FLOAT);
    assertRefused("10,000…10,000", () -> Tensors.get(flat, LENGTH));
    assertRefused("10,000…10,000", () -> Tensors.put(flat, LENGTH, 1));
    assertRefused("9,999…10,000", () -> Tensors.read(flat, LENGTH - 1, new float[2], 0, 2));
    assertRefused("9,999…10,000", () -> Tensors.read(flat, LENGTH - 1, new double[2], 0, 2));
    assertRefused("9,999…10,000", () -> Tensors.write(flat, LENGTH - 1, new float[2], 0, 2));
    assertRefused("9,999…10,000", () -> Tensors.write(flat, LENGTH - 1, new double[2], 0, 2));
    assertRefused("INT", () -> Tensors.get(Tensors.zeros(DataType.INT32, 1), 0));
  }

  @Test
  void reading_refusesJavaArraysThatAreTooShort() {
    INDArray flat = counting(DataType.FLOAT);
    Class<IndexOutOfBoundsException> type = IndexOutOfBoundsException.class;
    assertThrows(type, () -> Tensors.read(flat, 0, new float[2], 1, 2));
    assertThrows(type, () -> Tensors.read(flat, 0, new double[2], 1, 2));
    assertThrows(type, () -> Tensors.write(flat, 0, new float[2], -1, 2));
    assertThrows(type, () -> Tensors.write(flat, 0, new double[2], 0, 3));
  }

  private static void assertRefused(String part, Runnable call) {
    IllegalArgumentException refusal = assertThrows(IllegalArgumentException.class, call::run);
    assertTrue(refusal.getMessage().contains(part), refusal.getMessage());
  }
}
