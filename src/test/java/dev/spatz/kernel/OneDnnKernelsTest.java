package dev.spatz.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

class OneDnnKernelsTest extends KernelsTest {
  OneDnnKernelsTest() {
    super(DataType.FLOAT, 5e-6);
  }

  @Override
  Kernels create() {
    assumeTrue(OneDnn.obstacle().isEmpty(), OneDnn.obstacle());
    return new OneDnnKernels();
  }

  @Test
  void float64_isRefused() {
    INDArray array = Tensors.zeros(DataType.DOUBLE, 3);
    assertEquals(
        "array of type DOUBLE: the kernels onednn take float32 only; for float64 use"
            + " spatz.kernels=nd4j",
        assertThrows(IllegalArgumentException.class, () -> kernels.sumOfSquares(array, 0, 3))
            .getMessage());
  }

  @Test
  void sumOfSquares_ofHugeNumbers_isFinite() {
    INDArray array = Tensors.zeros(DataType.FLOAT, 300);
    Tensors.put(array, 7, 1e30);
    assertEquals(1e60, kernels.sumOfSquares(array, 0, 300), 1e54);
  }

  @Test
  void arrayWithGaps_isRefused() {
    INDArray columns = gaussian(3, 8).get(NDArrayIndex.all(), NDArrayIndex.interval(0, 4));
    assertEquals(
        "array of shape [3, 4] and strides [8, 1] must be in C order without gaps",
        assertThrows(IllegalArgumentException.class, () -> kernels.add(columns, columns, columns))
            .getMessage());
  }

  @Test
  void steadyState_allocatesNoHeap() {
    AttentionShape shape = new AttentionShape(13, 4, 2, 8);
    INDArray[] a =
        random(
            of(26, 64),
            of(26, 32),
            of(26, 64),
            of(26, 32),
            of(64, 32),
            of(32),
            of(26),
            of(26),
            of(26, 64),
            of(64),
            of(13, 32));
    INDArray flat = gaussian(2048);
    int[] ids = new int[26];
    AdamWStep step = new AdamWStep(1e-3, 0.9, 0.99, 1e-8, 1, 1);
    MuonStep muonStep = new MuonStep(1e-3, 0.95, 0.1, 1);
    INDArray[] matrices = random(of(64, 32), of(64, 32));
    INDArray[] low = random(of(4, 32), of(40, 4), of(26, 4), of(26, 4));
    Dropout dropout = Dropout.of(0.1).moveTo(CounterRandom.of(1), 0, 0);
    Runnable round =
        () -> {
          kernels.embed(ids, ids, a[4], a[10], a[1]);
          kernels.layerNorm(a[1], a[5], a[5], 1e-5, a[3], a[6], a[7]);
          kernels.linear(a[3], a[4], a[9], null, a[0]);
          kernels.attention(a[0], shape, dropout, a[1]);
          kernels.attentionBackward(a[1], a[0], a[1], shape, dropout, a[2]);
          kernels.linearBackward(a[0], a[3], a[4], a[1], WriteMode.ADD, a[4], a[9]);
          kernels.lowRank(a[3], low[0], low[1], 2, 8, low[2], a[0]);
          kernels.lowRankBackward(
              a[0],
              a[3],
              low[0],
              low[1],
              2,
              8,
              low[2],
              low[3],
              a[1],
              WriteMode.ADD,
              low[0],
              low[1]);
          kernels.gelu(Gelu.TANH, a[0], a[8]);
          kernels.swiGlu(a[0], a[1]);
          kernels.rmsNormBackward(a[1], a[3], a[5], a[7], a[1], a[5]);
          kernels.crossEntropy(a[3], a[4], ids, 0.1, null, a[8], null, a[1], WriteMode.ADD, a[4]);
          kernels.adamW(flat, flat, flat, flat, 0, 2048, 0.1, step);
          kernels.muon(a[4], matrices[0], matrices[1], muonStep);
        };
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long id = Thread.currentThread().getId();
    // The interpreter allocates what compiled code does not: the least of many rounds counts.
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 3_000 && least > 512; i++) {
      Tensors.fill(flat, 0.5);
      Tensors.fill(a[4], 0.1);
      Tensors.fill(a[5], 1);
      Tensors.fill(low[0], 0.1);
      Tensors.fill(low[1], 0.1);
      long before = threads.getThreadAllocatedBytes(id);
      round.run();
      least = Math.min(least, threads.getThreadAllocatedBytes(id) - before);
    }
    assertTrue(least <= 512, "a round of operations allocates " + least + " bytes");
  }
}
