package dev.spatz.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.FreshJvm;
import dev.spatz.dataset.Dataset;
import dev.spatz.kernel.InsufficientMemoryException;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Precision;
import dev.spatz.optimizer.AdamWConfig;
import dev.spatz.optimizer.OptimizerConfig;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

class TrainingMemoryTest {
  private static final int IDS = 300;
  private static final long SMALL_THINGS = 1 << 17;

  private static TrainingConfig config(TransformerConfig model, int threads) {
    return TrainingConfig.defaults()
        .withModel(model)
        .withBatchSize(8)
        .withShards(4)
        .withSteps(2)
        .withThreads(threads)
        .withPrecision(Precision.FLOAT32);
  }

  private static List<TrainingConfig> configs() {
    TransformerConfig llama = TransformerConfig.llama(IDS, 128, 2, 4, 64);
    TransformerConfig gpt2 = TransformerConfig.gpt2(IDS, 128, 3, 4, 64);
    OptimizerConfig adamW = AdamWConfig.defaults();
    return List.of(
        config(llama, 2),
        config(llama, 3).withShards(2).withOptimizer(adamW),
        config(gpt2, 1).withShards(8),
        config(gpt2, 2).withOptimizer(adamW));
  }

  private static Dataset data() throws IOException {
    int[] ids = new int[5000];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = i * 7 % IDS;
    }
    return Dataset.ofIds(ids, ids, IDS);
  }

  @Test
  void training_takesWhatWasSaid_andReturnsAll() throws Exception {
    assertEquals(List.of(), FreshJvm.run("512m", TrainingMemoryTest.class));
  }

  /** In a JVM of its own. */
  public static void main(String[] arguments) throws IOException {
    for (TrainingConfig config : configs()) {
      train(config);
      train(config.withBatchSize(10)); // shards of two sizes
    }
  }

  private static void train(TrainingConfig config) throws IOException {
    List<TrainingMemory> said = new ArrayList<>();
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void memory(TrainingMemory memory) {
            said.add(memory);
          }
        };
    try (Dataset data = data();
        Transformer transformer =
            Transformer.initialized(config.model(), DataType.FLOAT, config.seed())) {
      long before = FreshJvm.offHeap();
      try (Trainer trainer = Trainer.create(transformer, data, config, KernelBackend.choose())) {
        long created = FreshJvm.offHeap() - before;
        trainer.run(listener, new Cancellation());
        TrainingMemory memory = said.get(0);
        assertEquals(memory.weights(), transformer.parameters().bytes());
        assertEquals(memory.gradients() + memory.moments() + memory.kept(), created, SMALL_THINGS);
        double activations = FreshJvm.offHeap() - before - created;
        double part = activations / memory.activations();
        // Not every thread meets shards of both sizes.
        assertTrue(
            part < 1.2 && part > (trainer.plan().batchSize() == 8 ? 0.8 : 0.4),
            part + " of " + memory);
      }
      assertEquals(before, FreshJvm.offHeap(), SMALL_THINGS);
    }
  }

  @Test
  void trainingBeyondTheMemory_isRefusedBeforeItIsAllocated() throws IOException {
    TransformerConfig model = TransformerConfig.llama(IDS, 128, 2, 4, 64);
    try (Dataset data = data();
        Transformer transformer = Transformer.initialized(model, DataType.FLOAT, 1)) {
      TrainingConfig large = config(model, 2).withBatchSize(2_000_000);
      InsufficientMemoryException e =
          assertThrows(
              InsufficientMemoryException.class,
              () -> Trainer.create(transformer, data, large, KernelBackend.choose()));
      assertTrue(e.getMessage().contains("lower batchSize (2000000)"), e.getMessage());
      assertTrue(e.getMessage().contains("activations"), e.getMessage());
    }
  }
}
