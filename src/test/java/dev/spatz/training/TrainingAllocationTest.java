package dev.spatz.training;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import dev.spatz.dataset.Dataset;
import dev.spatz.kernel.CounterRandom;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Precision;
import dev.spatz.optimizer.AdamWConfig;
import dev.spatz.optimizer.MuonConfig;
import dev.spatz.optimizer.OptimizerConfig;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A training in its steady state allocates nothing off the heap, and little on it: a few small
 * objects for each phase, worker and shard, but none for layers, matrices or places of dropout.
 */
class TrainingAllocationTest {
  private static final int WARM_UP = 2000;
  private static final int MEASURED = 1000;
  private static final int VOCABULARY = 65;

  private static final long MOST_BYTES_A_STEP = 4096;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** Counts from one step to another. */
  private static final class Counter implements TrainingListener {
    long bytes;
    long pointers;

    @Override
    public void stepDone(StepReport report) {
      if (report.step() == WARM_UP) {
        pointers = -Pointer.totalCount();
        bytes = -allocated();
      } else if (report.step() == WARM_UP + MEASURED) {
        bytes += allocated();
        pointers += Pointer.totalCount();
      }
    }

    /** By the training's workers and the thread that waits for them, since these began. */
    private static long allocated() {
      return Thread.getAllStackTraces().keySet().stream()
          .filter(t -> t == Thread.currentThread() || t.getName().startsWith("spatz-worker"))
          .mapToLong(t -> THREADS.getThreadAllocatedBytes(t.getId()))
          .sum();
    }
  }

  private static void assertSteady(
      TransformerConfig model, OptimizerConfig optimizer, Precision precision) throws IOException {
    TrainingConfig config =
        TrainingConfig.defaults()
            .withModel(model)
            .withBatchSize(4)
            .withShards(4)
            .withThreads(2)
            .withSteps(WARM_UP + MEASURED + 1)
            .withEvaluationInterval(WARM_UP + MEASURED + 1)
            .withAveragedSteps(0)
            .withOptimizer(optimizer)
            .withLearningRate(1e-3)
            .withPrecision(precision);
    Counter counter = new Counter();
    try (Dataset data = randomIds();
        Transformer transformer = Transformer.initialized(model, DataType.FLOAT, 1);
        Trainer trainer = Trainer.create(transformer, data, config, KernelBackend.ONEDNN)) {
      trainer.run(counter, new Cancellation());
    }
    // Fewer than 0 where the collector freed what was made before.
    assertTrue(
        counter.pointers <= 0, counter.pointers + " native allocations in " + MEASURED + " steps");
    assertTrue(
        counter.bytes < MOST_BYTES_A_STEP * MEASURED,
        counter.bytes / MEASURED + " bytes of the heap a step");
  }

  private static Dataset randomIds() throws IOException {
    CounterRandom random = CounterRandom.of(1);
    int[] ids = new int[1000];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = (int) random.below(i, VOCABULARY);
    }
    return Dataset.ofIds(ids, new int[] {1, 2}, VOCABULARY);
  }

  @Test
  void stepsOfGpt2_allocateNothing() throws IOException {
    assumeOneDnn();
    TransformerConfig model = TransformerConfig.gpt2(VOCABULARY, 16, 2, 2, 16);
    assertSteady(model, AdamWConfig.defaults(), Precision.FLOAT32);
  }

  @Test
  void stepsOfQwen3_ofMoreLayersAndDropout_allocateNothing() throws IOException {
    assumeOneDnn();
    TransformerConfig model = TransformerConfig.qwen3(VOCABULARY, 16, 6, 2, 16).withDropout(0.1);
    assertSteady(model, MuonConfig.defaults(), Precision.FLOAT32);
  }

  @Test
  void stepsOfBf16_allocateNothing() throws IOException {
    assumeOneDnn();
    assumeTrue(
        Precision.AUTO.resolve(KernelBackend.ONEDNN, 1 << 20) == Precision.BF16,
        "this processor has no instructions for bfloat16");
    TransformerConfig model = TransformerConfig.qwen3(VOCABULARY, 16, 2, 2, 16);
    assertSteady(model, MuonConfig.defaults(), Precision.BF16);
  }

  private static void assumeOneDnn() {
    assumeTrue(KernelBackend.choose() == KernelBackend.ONEDNN, "these kernels are not oneDNN's");
  }
}
