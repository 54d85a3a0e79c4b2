package dev.spatz.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.nativeblas.NativeOps;
import org.nd4j.nativeblas.NativeOpsHolder;

class OpenMpWidthTest {
  private NativeOps operations;
  private int before;

  @BeforeEach
  void widen() {
    Tensors.zeros(DataType.FLOAT, 1).close(); // else NativeOpsHolder comes before ND4J, and fails
    operations = NativeOpsHolder.getInstance().getDeviceNativeOps();
    before = operations.ompGetMaxThreads();
    operations.setOmpNumThreads(3);
  }

  @AfterEach
  void restore() {
    operations.setOmpNumThreads(before);
  }

  @Test
  void width_isOneInBetween_andWhatItWasAfterwards() {
    OpenMpWidth width = new OpenMpWidth();
    assertTrue(width.narrow());
    assertFalse(width.narrow());
    assertEquals(1, operations.ompGetMaxThreads());
    width.restore();
    assertEquals(3, operations.ompGetMaxThreads());
  }

  @Test
  void restore_byAnotherThread_leavesBothAsTheyAre() {
    OpenMpWidth width = new OpenMpWidth();
    width.narrow();
    CompletableFuture.runAsync(
            () -> {
              operations.setOmpNumThreads(2);
              width.restore();
              assertEquals(2, operations.ompGetMaxThreads());
            },
            task -> new Thread(task).start())
        .join();
    assertEquals(1, operations.ompGetMaxThreads());
  }

  @ParameterizedTest
  @EnumSource
  void closedKernels_leaveTheirThreadAsItWas(KernelBackend backend) {
    try (Kernels kernels = backend.create();
        INDArray x = Tensors.zeros(DataType.FLOAT, 2, 2)) {
      kernels.add(x, x, x);
      assertEquals(1, operations.ompGetMaxThreads());
    }
    assertEquals(3, operations.ompGetMaxThreads());
  }
}
