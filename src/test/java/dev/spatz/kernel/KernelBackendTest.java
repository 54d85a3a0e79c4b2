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
  void forcedChoice_neverFallsBack() {
    IllegalStateException refusal =
        assertThrows(
            IllegalStateException.class,
            () -> KernelBackend.choose("onednn", backend -> "its library is absent"));
    assertEquals(
        "spatz.kernels (onednn) must be kernels that work on this machine, but its library is"
            + " absent; name others or none",
        refusal.getMessage());
  }

  @Test
  void freeChoice_isTheFirstThatWorks() {
    assertEquals(KernelBackend.ONEDNN, KernelBackend.choose(null, backend -> ""));
    assertEquals(
        KernelBackend.ND4J,
        KernelBackend.choose(null, backend -> backend == KernelBackend.ND4J ? "" : "no"));
  }

  @Test
  void everyChoiceThatWorks_createsKernels() {
    for (KernelBackend backend : KernelBackend.values()) {
      if (backend.obstacle().isEmpty()) {
        try (Kernels kernels = backend.create()) {
          assertEquals(0, kernels.sumOfSquares(Tensors.zeros(DataType.FLOAT, 3), 0, 3));
        }
      }
    }
  }
}
