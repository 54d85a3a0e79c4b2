package dev.spatz.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class TensorArenaTest {
  @ParameterizedTest
  @EnumSource(
      value = DataType.class,
      names = {"FLOAT", "DOUBLE", "BFLOAT16", "BYTE"})
  void arrays_beginWhereALineOfTheCacheDoes(DataType type) {
    try (TensorArena arena = new TensorArena()) {
      for (int rows = 1; rows < 40; rows += 3) {
        assertEquals(0, Tensors.address(arena.zeros(type, rows, 7)) % 64);
        assertEquals(0, Tensors.address(arena.uninitialized(type, 100_000L * rows)) % 64);
      }
    }
  }

  @Test
  void arrays_haveTheirShapeAndNoNeighboursInTheirWay() {
    try (TensorArena arena = new TensorArena()) {
      INDArray first = arena.zeros(DataType.FLOAT, 2, 3, 5);
      INDArray second = arena.zeros(DataType.FLOAT, 30);
      assertArrayEquals(new long[] {2, 3, 5}, first.shape());
      assertArrayEquals(new float[30], Tensors.toFloats(first));
      Tensors.fill(first, 2);
      assertArrayEquals(new float[30], Tensors.toFloats(second));
      assertEquals(60, first.sumNumber().doubleValue());
      assertEquals(2, Tensors.get(Tensors.view(first.reshape(30), 29, 1), 0));
      Tensors.zero(first);
      assertArrayEquals(new float[30], Tensors.toFloats(first));
    }
  }

  @Test
  void close_endsAllArrays_andTheirViews_andMayBeRepeated() {
    TensorArena arena = new TensorArena();
    INDArray matrix = arena.zeros(DataType.FLOAT, 4, 4);
    INDArray row = Tensors.rows(matrix, 1, 2);
    matrix.close();
    assertFalse(matrix.wasClosed(), "a single array cannot be closed");
    arena.close();
    arena.close();
    assertTrue(matrix.wasClosed());
    assertTrue(row.wasClosed());
    assertThrows(IllegalStateException.class, () -> Tensors.get(matrix, 0));
    assertThrows(IllegalStateException.class, () -> Tensors.get(row, 0));
  }

  @Test
  void close_givesTheMemoryBack() {
    long before = Nd4j.getEnvironment().getDeviceCouner(0);
    try (TensorArena arena = new TensorArena()) {
      arena.uninitialized(DataType.FLOAT, 1 << 20);
      assertTrue(Nd4j.getEnvironment().getDeviceCouner(0) >= before + (4 << 20));
    }
    assertEquals(before, Nd4j.getEnvironment().getDeviceCouner(0));
  }

  @Test
  void shapes_thatNoMemoryHolds_areRefused() {
    try (TensorArena arena = new TensorArena()) {
      assertThrows(
          ArithmeticException.class, () -> arena.zeros(DataType.FLOAT, 1L << 40, 1L << 40));
    }
  }
}
