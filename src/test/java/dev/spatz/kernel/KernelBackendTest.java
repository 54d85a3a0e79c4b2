package dev.spatz.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;
import org.nd4j.linalg.api.buffer.DataType;

@ResourceLock(Resources.SYSTEM_PROPERTIES)
class KernelBackendTest {
  private final String before = System.getProperty(KernelBackend.PROPERTY, "");

  @AfterEach
  void restore() {
    if (before.isEmpty()) {
      System.clearProperty(KernelBackend.PROPERTY);
    } else {
      System.setProperty(KernelBackend.PROPERTY, before);
    }
  }

  @Test
  void choice_isForcedByProperty() {
    System.setProperty(KernelBackend.PROPERTY, "nd4j");
    assertEquals(KernelBackend.ND4J, KernelBackend.choose());
  }

  @Test
  void unknownChoice_isRefusedByName() {
    System.setProperty(KernelBackend.PROPERTY, "mkl");
    IllegalArgumentException refusal =
        assertThrows(IllegalArgumentException.class, KernelBackend::choose);
    assertEquals(
        "spatz.kernels (mkl) must be one of onednn, nd4j, or not set", refusal.getMessage());
  }

  @Test
  void everyChoice_createsKernels() {
    for (KernelBackend backend : KernelBackend.values()) {
      try (Kernels kernels = backend.create()) {
        assertEquals(0, kernels.sumOfSquares(Tensors.zeros(DataType.FLOAT, 3), 0, 3));
      }
    }
  }
}
