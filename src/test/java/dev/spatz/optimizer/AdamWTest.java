package dev.spatz.optimizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.Tensors;
import dev.spatz.transformer.ParameterLayout;
import dev.spatz.transformer.ParameterSet;
import dev.spatz.transformer.TransformerConfig;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

class AdamWTest {
  private static final double RATE = 0.01;
  private static final double DECAY = 0.1;
  private final ParameterLayout layout = ParameterLayout.of(TransformerConfig.gpt2(11, 4, 1, 1, 4));

  /** With a zero gradient only the decay moves weights: w·(1 − rate·decay), matrices alone. */
  @Test
  void update_decaysMatricesOnly() {
    try (ParameterSet weights = ParameterSet.zeros(layout, DataType.DOUBLE);
        ParameterSet gradients = ParameterSet.zeros(layout, DataType.DOUBLE);
        AdamW adamW = new AdamW(new AdamWConfig(0.9, 0.99, 1e-8, DECAY), weights, gradients);
        Kernels kernels = KernelBackend.ND4J.create()) {
      Tensors.fill(weights.flat(), 1);
      update(adamW, kernels, new Optimizer.Step(1, RATE, 1));
      assertEquals(1 - RATE * DECAY, Tensors.get(weights.flat(), 0), 1e-15);
      long border = layout.matrixElements();
      assertEquals(1 - RATE * DECAY, Tensors.get(weights.flat(), border - 1), 1e-15);
      assertEquals(1, Tensors.get(weights.flat(), border), 0);
    }
  }

  /** The first step is rate·sign(g), whatever the gradient's size (up to epsilon). */
  @Test
  void update_firstStepIsTheLearningRate() {
    try (ParameterSet weights = ParameterSet.zeros(layout, DataType.DOUBLE);
        ParameterSet gradients = ParameterSet.zeros(layout, DataType.DOUBLE);
        AdamW adamW = new AdamW(new AdamWConfig(0.9, 0.99, 1e-12, 0), weights, gradients);
        Kernels kernels = KernelBackend.ND4J.create()) {
      Tensors.fill(gradients.flat(), -123);
      update(adamW, kernels, new Optimizer.Step(1, RATE, 0.5));
      assertEquals(RATE, Tensors.get(weights.flat(), 0), 1e-12);
      assertEquals(RATE, Tensors.get(weights.flat(), layout.elements() - 1), 1e-12);
    }
  }

  private static void update(AdamW adamW, Kernels kernels, Optimizer.Step step) {
    adamW.begin(step);
    for (int task = 0; task < adamW.tasks(); task++) {
      adamW.update(kernels, task);
    }
  }

  @Test
  void config_refusesBetaOfOne() {
    assertThrows(IllegalArgumentException.class, () -> new AdamWConfig(1, 0.9, 1e-8, 0));
    assertThrows(IllegalArgumentException.class, () -> new AdamWConfig(0.9, 1, 1e-8, 0));
  }

  @Test
  void config_refusesEpsilonOfZero() {
    assertThrows(IllegalArgumentException.class, () -> new AdamWConfig(0.9, 0.9, 0, 0));
  }

  @Test
  void config_refusesNegativeDecay() {
    assertThrows(IllegalArgumentException.class, () -> new AdamWConfig(0.9, 0.9, 1e-8, -1));
  }
}
