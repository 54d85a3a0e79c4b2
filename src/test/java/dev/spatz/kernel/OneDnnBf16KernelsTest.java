package dev.spatz.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The shared tests in bfloat16. Operands have values that bfloat16 holds, so what differs is what
 * the kernels round: results, and attention's weights and their gradients.
 */
class OneDnnBf16KernelsTest extends KernelsTest {
  OneDnnBf16KernelsTest() {
    super(DataType.FLOAT, 1e-2);
  }

  @Override
  Kernels create() {
    assumeTrue(OneDnn.multipliesBf16(), "this processor has no bfloat16 instructions");
    return new RoundingKernels();
  }

  /** Gradients of weights are near 50, rounded to a quarter, and multiplied by keys near 12. */
  @Override
  double toleranceOfLargeScores() {
    return 0.1;
  }

  /** To 8 bits, ties to even. */
  @Override
  double representable(double value) {
    int bits = Float.floatToRawIntBits((float) value);
    return Float.intBitsToFloat(bits + 0x7FFF + (bits >> 16 & 1) & 0xFFFF0000);
  }

  @Test
  void toBf16_roundsToNearestEven() {
    INDArray floats = Tensors.zeros(DataType.FLOAT, 5);
    Tensors.write(floats, 0, new float[] {9, 1 + 0x1p-8f, 1 + 0x3p-8f, -1 - 0x1p-7f, 9}, 0, 5);
    INDArray rounded = Tensors.zeros(DataType.BFLOAT16, 5);
    kernels.toBf16(floats, rounded, 1, 4);
    float[] expected = {0, 1, 1 + 0x1p-6f, -1 - 0x1p-7f, 0};
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], rounded.getFloat(i));
    }
  }
}
