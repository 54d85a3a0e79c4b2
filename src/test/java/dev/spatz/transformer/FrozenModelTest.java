package dev.spatz.transformer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.spatz.kernel.CounterRandom;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.Precision;
import dev.spatz.kernel.Tensors;
import dev.spatz.kernel.WeightPrecision;
import dev.spatz.kernel.WriteMode;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;

/** A frozen model is the model of its rounded weights: the judge has these in float64. */
class FrozenModelTest {
  private static final int SEQUENCES = 3;
  private static final int TIME = 16;
  private static final int VOCABULARY = 60;
  private static final LoraConfig LORA = LoraConfig.defaults().withRank(5).withDropout(0.2);

  private final int[] inputs = TestModels.ids(SEQUENCES * TIME, VOCABULARY, 1);
  private final int[] targets = TestModels.targets(SEQUENCES * TIME, VOCABULARY, 2);
  private final double scale = TestModels.scale(targets);

  private static final TransformerConfig GPT2 = TransformerConfig.gpt2(VOCABULARY, TIME, 2, 3, 36);
  private static final TransformerConfig QWEN3 =
      TransformerConfig.qwen3(VOCABULARY, TIME, 2, 4, 128)
          .withKeyValueHeads(2)
          .withTiedEmbeddings(false);

  static Stream<Arguments> models() {
    return Stream.of(GPT2, QWEN3)
        .flatMap(
            shape ->
                Stream.of(WeightPrecision.BF16, WeightPrecision.INT8)
                    .map(precision -> Arguments.of(shape, precision)));
  }

  /** Of the weights of a model. */
  private static Transformer frozen(Transformer model, WeightPrecision precision)
      throws IOException {
    Transformer frozen =
        Transformer.frozen(
            model.config(),
            model.dataType(),
            precision,
            (parameter, into) -> Tensors.copy(model.parameters().get(parameter), into));
    for (Parameter rest : frozen.parameters().layout().parameters()) {
      Tensors.copy(model.parameters().get(rest.name()), frozen.parameters().get(rest.name()));
    }
    return frozen;
  }

  /** A whole model of what a frozen one reads. */
  private static Transformer widened(Transformer frozen, DataType type) {
    Transformer whole = Transformer.zeros(frozen.config(), type);
    for (Parameter parameter : whole.parameters().layout().parameters()) {
      frozen.read(parameter.name(), whole.parameters().get(parameter.name()));
    }
    return whole;
  }

  /** Loss, and what is added to the gradients. */
  private double pass(KernelBackend backend, Transformer model, ParameterSet gradients) {
    try (Kernels kernels = backend.create();
        Workspace workspace = model.workspace(SEQUENCES, TIME)) {
      model.refresh(kernels, 0, model.trained().layout().elements());
      DropoutSites sites = workspace.dropout(CounterRandom.of(4), 2);
      return model.lossAndGradients(
          kernels, workspace, inputs, targets, scale, sites, WriteMode.OVERWRITE, gradients);
    }
  }

  private static ParameterSet gradients(Transformer model) {
    return ParameterSet.zeros(model.trained().layout(), model.dataType());
  }

  private static double error(ParameterSet set, ParameterSet judge) {
    return TestModels.relativeError(Tensors.toDoubles(set.flat()), Tensors.toDoubles(judge.flat()));
  }

  @ParameterizedTest
  @MethodSource("models")
  void lossAndGradients_areThoseOfTheRoundedWeights(
      TransformerConfig shape, WeightPrecision precision) throws IOException {
    try (Transformer model = TestModels.random(shape, DataType.FLOAT, 3);
        Transformer frozen = frozen(model, precision);
        Transformer judge = widened(frozen, DataType.DOUBLE);
        Transformer adapted = frozen.adapted(LORA, 0.1, 7);
        Transformer adaptedJudge = judge.adapted(LORA, 0.1, 7);
        ParameterSet actual = gradients(adapted);
        ParameterSet expected = gradients(adaptedJudge)) {
      LoraGradientTest.randomize(adapted.trained(), 0.1);
      LoraGradientTest.randomize(adaptedJudge.trained(), 0.1);
      double loss = pass(KernelBackend.ND4J, adaptedJudge, expected);
      for (KernelBackend backend : List.of(KernelBackend.ND4J, KernelBackend.choose())) {
        assertEquals(loss, pass(backend, adapted, actual), 1e-5 * loss);
        assertTrue(error(actual, expected) <= 1e-5, "gradients: " + error(actual, expected));
      }
      if (Precision.AUTO.resolve(KernelBackend.choose(), 128) == Precision.BF16) {
        try (Transformer mixed = adapted.mixed(KernelBackend.choose())) {
          assertEquals(loss, pass(KernelBackend.choose(), mixed, actual), 1e-2 * loss);
          assertTrue(error(actual, expected) <= 0.05, "gradients: " + error(actual, expected));
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void texts_areThoseOfTheWholeModelInThisPrecision(
      TransformerConfig shape, WeightPrecision precision) throws IOException {
    TestModels.assumePossible(precision);
    KernelBackend backend = KernelBackend.choose();
    try (Transformer model = TestModels.random(shape, DataType.FLOAT, 3);
        Transformer frozen = frozen(model, precision);
        InferenceWeights whole = model.inferenceWeights(backend, 1, precision);
        InferenceWeights rounded = frozen.inferenceWeights(backend, 1, precision)) {
      assertEquals(whole.bytes(), rounded.bytes());
      double[] expected = losses(backend, model, whole);
      double error = TestModels.relativeError(losses(backend, frozen, rounded), expected);
      assertTrue(error <= 1e-6, "differ by " + error);
    }
  }

  private double[] losses(KernelBackend backend, Transformer model, InferenceWeights weights) {
    double[] losses = new double[inputs.length];
    try (Kernels kernels = backend.create();
        Workspace workspace = model.workspace(SEQUENCES, TIME)) {
      weights.loss(kernels, workspace, inputs, targets, losses);
    }
    return losses;
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "INT8"})
  void frozenModel_takesFewerBytes_andRefusesWhatNeedsMore(WeightPrecision precision)
      throws IOException {
    assumeTrue(KernelBackend.choose() == KernelBackend.ONEDNN, "the portable one decides nothing");
    try (Transformer model = TestModels.random(QWEN3, DataType.FLOAT, 3);
        Transformer frozen = frozen(model, precision);
        Kernels kernels = KernelBackend.choose().create()) {
      long matrices = 2 * (128 * (128 + 2 * 64) + 128 * 128 + 3L * 128 * QWEN3.feedForward());
      long saved = model.bytes() - frozen.bytes();
      double least = matrices * (Float.BYTES - precision.bytes()) * 0.98;
      assertTrue(saved > least, saved + " bytes saved, of " + matrices + " weights");
      assertThrows(IllegalStateException.class, frozen::requireWhole);
      assertThrows(IllegalStateException.class, () -> frozen.mixed(KernelBackend.choose()));
      try (Transformer adapted = frozen.adapted(LORA, 0, 1)) {
        WeightedAdapter adapter = adapted.adapter(Map.of()).weighted(1);
        assertThrows(IllegalStateException.class, () -> frozen.merged(kernels, List.of(adapter)));
      }
      double[] expected = new double[inputs.length];
      double[] actual = new double[inputs.length];
      try (Transformer whole = widened(frozen, DataType.FLOAT);
          Workspace wide = whole.workspace(SEQUENCES, TIME);
          Workspace narrow = frozen.workspace(SEQUENCES, TIME)) {
        whole.loss(kernels, wide, inputs, targets, expected);
        frozen.loss(kernels, narrow, inputs, targets, actual);
      }
      assertArrayEquals(expected, actual);
    }
  }
}
