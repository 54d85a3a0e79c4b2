package dev.spatz.transformer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.kernel.Tensors;
import java.util.Arrays;
import java.util.stream.Stream;
import org.apache.commons.math3.stat.descriptive.moment.Kurtosis;
import org.apache.commons.math3.stat.descriptive.moment.Mean;
import org.apache.commons.math3.stat.descriptive.moment.StandardDeviation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;

/** Expected deviations are those of nanoGPT's {@code model.py}: 0.02, and 0.02/√(2L). */
class InitializationTest {
  private static final int LAYERS = 3;

  static Stream<TransformerConfig> configs() {
    return Stream.of(
        TransformerConfig.gpt2(211, 101, LAYERS, 3, 48),
        TransformerConfig.llama(211, 101, LAYERS, 4, 48)
            .withKeyValueHeads(2)
            .withTiedEmbeddings(false)
            .withBiases(true));
  }

  @ParameterizedTest
  @MethodSource("configs")
  void matrices_areNormal_thoseThatEndABranchSmaller(TransformerConfig config) {
    try (Transformer model = Transformer.initialized(config, DataType.FLOAT, 1)) {
      for (Parameter parameter : model.parameters().layout().parameters()) {
        if (!parameter.matrix()) {
          continue;
        }
        String name = parameter.name();
        boolean endsBranch = name.contains("projection") || name.contains("down");
        double deviation = endsBranch ? 0.02 / Math.sqrt(2 * LAYERS) : 0.02;
        double[] values = values(model, parameter);
        double n = values.length;
        // Five standard errors of each statistic of n normal numbers.
        assertEquals(0, new Mean().evaluate(values), 5 * deviation / Math.sqrt(n), name);
        assertEquals(
            deviation,
            new StandardDeviation().evaluate(values),
            5 * deviation / Math.sqrt(2 * n),
            name);
        assertEquals(0, new Kurtosis().evaluate(values), 5 * Math.sqrt(24 / n), name);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("configs")
  void gains_areOneAndBiasesZero(TransformerConfig config) {
    try (Transformer model = Transformer.initialized(config, DataType.FLOAT, 1)) {
      for (Parameter parameter : model.parameters().layout().parameters()) {
        if (!parameter.matrix()) {
          double expected = parameter.name().endsWith("gain") ? 1 : 0;
          double[] values = values(model, parameter);
          assertTrue(Arrays.stream(values).allMatch(x -> x == expected), parameter::name);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("configs")
  void matrices_differFromEachOther(TransformerConfig config) {
    try (Transformer model = Transformer.initialized(config, DataType.FLOAT, 1)) {
      long distinct =
          model.parameters().layout().parameters().stream()
              .filter(Parameter::matrix)
              .map(parameter -> values(model, parameter)[0] / deviation(parameter))
              .distinct()
              .count();
      long matrices =
          model.parameters().layout().parameters().stream().filter(Parameter::matrix).count();
      assertEquals(matrices, distinct);
    }
  }

  @ParameterizedTest
  @MethodSource("configs")
  void weights_areThoseOfTheSeed(TransformerConfig config) {
    try (Transformer model = Transformer.initialized(config, DataType.FLOAT, 1);
        Transformer same = Transformer.initialized(config, DataType.FLOAT, 1);
        Transformer other = Transformer.initialized(config, DataType.FLOAT, 2)) {
      float[] weights = Tensors.toFloats(model.parameters().flat());
      assertArrayEquals(weights, Tensors.toFloats(same.parameters().flat()));
      assertFalse(Arrays.equals(weights, Tensors.toFloats(other.parameters().flat())));
    }
  }

  /** A matrix of more than one block of the writer, and the same one of a deeper model. */
  @Test
  void weights_ofAMatrix_doNotDependOnTheOtherLayers() {
    TransformerConfig shallow = TransformerConfig.llama(2_000, 8, 1, 2, 48);
    TransformerConfig deep = TransformerConfig.llama(2_000, 8, 2, 2, 48);
    try (Transformer a = Transformer.initialized(shallow, DataType.FLOAT, 1);
        Transformer b = Transformer.initialized(deep, DataType.FLOAT, 1)) {
      for (String name : new String[] {"tokens", "layers.0.attention.qkv.weight"}) {
        assertArrayEquals(
            Tensors.toFloats(a.parameters().get(name)), Tensors.toFloats(b.parameters().get(name)));
      }
    }
  }

  private static double deviation(Parameter parameter) {
    boolean endsBranch =
        parameter.name().contains("projection") || parameter.name().contains("down");
    return endsBranch ? 1 / Math.sqrt(2 * LAYERS) : 1;
  }

  private static double[] values(Transformer model, Parameter parameter) {
    return Tensors.toDoubles(model.parameters().get(parameter.name()));
  }
}
