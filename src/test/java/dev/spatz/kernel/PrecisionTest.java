package dev.spatz.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class PrecisionTest {
  @Test
  void bf16_isRefusedWhereKernelsCannot() {
    assertEquals(
        "precision (BF16) is not possible: the kernels ND4J compute with float32 only; take"
            + " FLOAT32 or AUTO",
        assertThrows(
                IllegalStateException.class, () -> Precision.BF16.resolve(KernelBackend.ND4J, 768))
            .getMessage());
  }

  @Test
  void auto_isFloat32WhereNothingIsGained() {
    assertEquals(Precision.FLOAT32, Precision.AUTO.resolve(KernelBackend.ND4J, 768));
    assertEquals(Precision.FLOAT32, Precision.AUTO.resolve(KernelBackend.ONEDNN, 64));
  }

  @Test
  void auto_isBf16WhereTheProcessorMultipliesIt() {
    Precision expected = OneDnn.multipliesBf16() ? Precision.BF16 : Precision.FLOAT32;
    assertEquals(expected, Precision.AUTO.resolve(KernelBackend.ONEDNN, 768));
  }

  @Test
  void float32_isAlwaysPossible() {
    for (KernelBackend backend : KernelBackend.values()) {
      assertEquals(Precision.FLOAT32, Precision.FLOAT32.resolve(backend, 768));
    }
  }
}
