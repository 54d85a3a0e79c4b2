package dev.spatz.optimizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.MuonStep;
import dev.spatz.kernel.Tensors;
import dev.spatz.transformer.Parameter;
import dev.spatz.transformer.ParameterLayout;
import dev.spatz.transformer.ParameterSet;
import dev.spatz.transformer.TransformerConfig;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

class MuonTest {
  private static final AdamWConfig REST = new AdamWConfig(0.9, 0.95, 1e-10, 0.1);
  private static final MuonConfig CONFIG = new MuonConfig(0.95, 5, 0.2, REST);
  private static final Optimizer.Step STEP = new Optimizer.Step(1, 0.01, 0.5);

  private final TransformerConfig model =
      TransformerConfig.llama(11, 4, 2, 4, 16).withKeyValueHeads(2).withTiedEmbeddings(false);
  private final ParameterLayout layout = ParameterLayout.of(model);

  /** Queries, keys, values, projection, gate, up and down of each layer. */
  @Test
  void hiddenMatrices_areThoseOfTheLayers() {
    assertEquals(14, layout.hidden().size());
    assertArrayEquals(
        new long[] {16, 8, 8, 16, 64, 64, 16},
        layout.hidden().stream().limit(7).mapToLong(Parameter::rows).toArray());
    Parameter tokens = layout.parameters().get(0);
    assertEquals(tokens.size(), layout.hidden().get(0).offset());
  }

  @Test
  void update_movesEveryPartByItsOwnRule() {
    try (ParameterSet weights = random(1);
        ParameterSet gradients = random(2);
        ParameterSet expected = random(1);
        ParameterSet moment = ParameterSet.zeros(layout, DataType.DOUBLE);
        Kernels kernels = KernelBackend.ND4J.create();
        Optimizer adamW = Optimizer.of(REST, expected, gradients);
        Optimizer muon = Optimizer.of(CONFIG, weights, gradients)) {
      INDArray before = expected.flat().dup('c');
      update(adamW, kernels);
      for (Parameter matrix : layout.hidden()) {
        for (long i = matrix.offset(); i < matrix.offset() + matrix.size(); i++) {
          Tensors.put(expected.flat(), i, Tensors.get(before, i));
        }
        kernels.muon(
            Tensors.view(expected.flat(), matrix.offset(), matrix.shape()),
            Tensors.view(gradients.flat(), matrix.offset(), matrix.shape()),
            Tensors.view(moment.flat(), matrix.offset(), matrix.shape()),
            new MuonStep(0.05, 0.95, 0.2, 0.5));
      }
      update(muon, kernels);
      assertArrayEquals(
          Tensors.toDoubles(expected.flat()), Tensors.toDoubles(weights.flat()), 1e-12);
    }
  }

  /** One moment of the linear maps, two of all others. */
  @Test
  void bytes_areOfTheMomentsOnly() {
    try (ParameterSet weights = random(1);
        ParameterSet gradients = random(2);
        Optimizer muon = Optimizer.of(CONFIG, weights, gradients)) {
      long hidden = layout.hidden().stream().mapToLong(Parameter::size).sum();
      assertEquals(Double.BYTES * (2 * layout.elements() - hidden), muon.bytes());
    }
  }

  @Test
  void config_refusesNumbersOutOfRange() {
    assertThrows(IllegalArgumentException.class, () -> new MuonConfig(1, 5, 0, REST));
    assertThrows(IllegalArgumentException.class, () -> new MuonConfig(0.95, 0, 0, REST));
    assertThrows(IllegalArgumentException.class, () -> new MuonConfig(0.95, 5, -1, REST));
    assertThrows(IllegalArgumentException.class, () -> new MuonConfig(0.95, 5, Double.NaN, REST));
  }

  private static void update(Optimizer optimizer, Kernels kernels) {
    optimizer.begin(STEP);
    for (int task = 0; task < optimizer.tasks(); task++) {
      optimizer.update(kernels, task);
    }
  }

  /** Numbers without a pattern; the gaps between parameters stay zero, as in training. */
  private ParameterSet random(long seed) {
    ParameterSet set = ParameterSet.zeros(layout, DataType.DOUBLE);
    Random random = new Random(seed);
    for (Parameter parameter : layout.parameters()) {
      double[] values = new double[(int) parameter.size()];
      Arrays.setAll(values, i -> random.nextGaussian());
      Tensors.write(set.flat(), parameter.offset(), values, 0, values.length);
    }
    return set;
  }
}
