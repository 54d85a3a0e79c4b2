package dev.spatz.transformer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.spatz.kernel.CounterRandom;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.Precision;
import dev.spatz.kernel.Tensors;
import dev.spatz.kernel.WriteMode;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The gradients of adapters, in float64, against central differences of the whole model's loss. */
class LoraGradientTest {
  private static final int SEQUENCES = 4;
  private static final int TIME = 5;
  private static final int VOCABULARY = 7;
  private static final int SAMPLES = 12;
  private static final double STEP = 1e-5;

  private final int[] inputs = TestModels.ids(SEQUENCES * TIME, VOCABULARY, 1);
  private final int[] targets = TestModels.targets(SEQUENCES * TIME, VOCABULARY, 2);
  private final double scale = TestModels.scale(targets);

  static Stream<Arguments> adapters() {
    TransformerConfig gpt2 = TransformerConfig.gpt2(VOCABULARY, TIME, 2, 3, 12).withFeedForward(10);
    TransformerConfig llama =
        TransformerConfig.llama(VOCABULARY, TIME, 2, 6, 12).withHeadSize(4).withFeedForward(10);
    TransformerConfig qwen3 =
        TransformerConfig.qwen3(VOCABULARY, TIME, 2, 6, 12)
            .withHeadSize(4)
            .withFeedForward(10)
            .withTiedEmbeddings(false);
    LoraConfig all = LoraConfig.defaults().withRank(3).withAlpha(5);
    return Stream.of(
        Arguments.of(gpt2, all),
        Arguments.of(
            gpt2.withDropout(0.2),
            all.withTargets(LoraTarget.QUERY_KEY_VALUE, LoraTarget.DOWN).withDropout(0.3)),
        Arguments.of(llama.withKeyValueHeads(3), all.withRank(1).withRankStabilized(true)),
        Arguments.of(
            llama.withKeyValueHeads(2),
            all.withTargets(LoraTarget.QUERY, LoraTarget.VALUE, LoraTarget.UP).withDropout(0.2)),
        Arguments.of(qwen3.withKeyValueHeads(3), all.withRank(13)),
        Arguments.of(qwen3, all.withDropout(0.4)));
  }

  /** An adapted model whose adapter is random, B too. */
  private static Transformer adapted(Transformer base, LoraConfig lora, double size) {
    Transformer model = base.adapted(lora, base.config().dropout(), 7);
    randomize(model.trained(), size);
    return model;
  }

  static void randomize(ParameterSet set, double size) {
    CounterRandom random = CounterRandom.of(8);
    double[] values = new double[Math.toIntExact(set.layout().elements())];
    Arrays.setAll(values, i -> size * random.gaussian(i));
    Tensors.write(set.flat(), 0, values, 0, values.length);
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void gradients_equalCentralDifferences(TransformerConfig config, LoraConfig lora) {
    try (Kernels kernels = KernelBackend.ND4J.create();
        Transformer base = TestModels.random(config, DataType.DOUBLE, 3);
        Transformer model = adapted(base, lora, 0.3);
        Workspace workspace = model.workspace(SEQUENCES, TIME);
        ParameterSet gradients = ParameterSet.zeros(model.trained().layout(), DataType.DOUBLE)) {
      double[] before = Tensors.toDoubles(base.parameters().flat());
      DropoutSites sites = workspace.dropout(CounterRandom.of(4), 2);
      model.lossAndGradients(
          kernels, workspace, inputs, targets, scale, sites, WriteMode.ADD, gradients);
      assertArrayEquals(before, Tensors.toDoubles(base.parameters().flat()), "frozen weights");
      for (Parameter parameter : gradients.layout().parameters()) {
        INDArray weights = model.trained().get(parameter.name());
        INDArray gradient = gradients.get(parameter.name());
        long[] sample = sample(parameter);
        double[] analytic =
            Arrays.stream(sample).mapToDouble(i -> Tensors.get(gradient, i)).toArray();
        double[] numeric =
            Arrays.stream(sample)
                .mapToDouble(i -> difference(kernels, model, workspace, sites, weights, i))
                .toArray();
        double error = TestModels.relativeError(analytic, numeric);
        assertTrue(error <= 1e-6, () -> parameter.name() + " differs by " + error);
      }
    }
  }

  private double difference(
      Kernels kernels,
      Transformer model,
      Workspace workspace,
      DropoutSites sites,
      INDArray weights,
      long index) {
    double value = Tensors.get(weights, index);
    Tensors.put(weights, index, value + STEP);
    double above = loss(kernels, model, workspace, sites);
    Tensors.put(weights, index, value - STEP);
    double below = loss(kernels, model, workspace, sites);
    Tensors.put(weights, index, value);
    return scale * (above - below) / (2 * STEP);
  }

  /** The sum of the losses, with dropout. */
  private double loss(Kernels kernels, Transformer model, Workspace workspace, DropoutSites sites) {
    Weights used = workspace.weights(model.weights(), sites, null);
    model.passes().forward(kernels, used, workspace, inputs, sites);
    return kernels.crossEntropy(
        workspace.activations.norm.values(),
        TestModels.head(model),
        targets,
        1,
        null,
        workspace.logits,
        null,
        null,
        WriteMode.ADD,
        null);
  }

  private static long[] sample(Parameter parameter) {
    if (parameter.size() <= SAMPLES) {
      return LongStream.range(0, parameter.size()).toArray();
    }
    CounterRandom random = CounterRandom.of(5).child(parameter.offset());
    return LongStream.range(0, SAMPLES)
        .map(
            i -> {
              long from = i * parameter.size() / SAMPLES;
              return from + random.below(i, (i + 1) * parameter.size() / SAMPLES - from);
            })
        .toArray();
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void gradientsOfShards_addUpToThoseOfTheBatch(TransformerConfig config, LoraConfig lora) {
    try (Kernels kernels = KernelBackend.ND4J.create();
        Transformer base = TestModels.random(config, DataType.DOUBLE, 3);
        Transformer model = adapted(base, lora, 0.3);
        Workspace workspace = model.workspace(SEQUENCES, TIME);
        ParameterSet whole = ParameterSet.zeros(model.trained().layout(), DataType.DOUBLE);
        ParameterSet sum = ParameterSet.zeros(model.trained().layout(), DataType.DOUBLE)) {
      TestModels.spoil(sum);
      CounterRandom step = CounterRandom.of(4);
      model.lossAndGradients(
          kernels,
          workspace,
          inputs,
          targets,
          scale,
          workspace.dropout(step, 0),
          WriteMode.OVERWRITE,
          whole);
      int first = 0;
      for (int sequences : new int[] {1, 3}) {
        try (Workspace part = model.workspace(sequences, TIME)) {
          int from = first * TIME;
          int to = from + sequences * TIME;
          model.lossAndGradients(
              kernels,
              part,
              Arrays.copyOfRange(inputs, from, to),
              Arrays.copyOfRange(targets, from, to),
              scale,
              part.dropout(step, first),
              first == 0 ? WriteMode.OVERWRITE : WriteMode.ADD,
              sum);
        }
        first += sequences;
      }
      double error =
          TestModels.relativeError(Tensors.toDoubles(sum.flat()), Tensors.toDoubles(whole.flat()));
      assertTrue(error <= 1e-13, "differ by " + error);
    }
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void newAdapter_changesNothing_andTheMergedModelIsTheAdaptedOne(
      TransformerConfig config, LoraConfig lora) {
    try (Kernels kernels = KernelBackend.ND4J.create();
        Transformer base = TestModels.random(config.withDropout(0), DataType.FLOAT, 3);
        Transformer model = base.adapted(lora, 0, 7)) {
      double[] plain = TestModels.logits(kernels, base, inputs, SEQUENCES);
      assertArrayEquals(plain, TestModels.logits(kernels, model, inputs, SEQUENCES));
      randomize(model.trained(), 0.1);
      double[] changed = TestModels.logits(kernels, model, inputs, SEQUENCES);
      assertTrue(TestModels.relativeError(changed, plain) > 0.01, "the adapter does something");
      LoraAdapter adapter = model.adapter(Map.of());
      assertEquals(adapter.parameterCount(), model.trained().layout().parameterCount());
      try (Transformer merged = base.merged(kernels, List.of(new WeightedAdapter(adapter, 1)))) {
        double error =
            TestModels.relativeError(
                TestModels.logits(kernels, merged, inputs, SEQUENCES), changed);
        assertTrue(error <= 1e-5, "differ by " + error);
      }
    }
  }

  /** In bfloat16 the gradients point where those in float32 do. */
  @Test
  void mixedPrecision_hasNearlyTheSameGradients() {
    TransformerConfig config = TransformerConfig.qwen3(64, 16, 2, 4, 128);
    KernelBackend backend = KernelBackend.choose();
    assumeTrue(Precision.AUTO.resolve(backend, 128) == Precision.BF16, "no bfloat16 here");
    LoraConfig lora = LoraConfig.defaults().withDropout(0.2);
    int[] ids = TestModels.ids(64, 64, 1);
    try (Kernels kernels = backend.create();
        Transformer base = TestModels.random(config, DataType.FLOAT, 3);
        Transformer model = base.adapted(lora, 0.1, 7)) {
      randomize(model.trained(), 0.05);
      try (Transformer mixed = model.mixed(backend);
          ParameterSet exact = ParameterSet.zeros(model.trained().layout(), DataType.FLOAT);
          ParameterSet rounded = ParameterSet.zeros(model.trained().layout(), DataType.FLOAT)) {
        mixed.refresh(kernels, 0, mixed.trained().layout().elements());
        for (Transformer each : List.of(model, mixed)) {
          try (Workspace workspace = each.workspace(4, 16)) {
            each.lossAndGradients(
                kernels,
                workspace,
                ids,
                ids,
                1.0 / 64,
                workspace.dropout(CounterRandom.of(4), 0),
                WriteMode.ADD,
                each == model ? exact : rounded);
          }
        }
        double error =
            TestModels.relativeError(
                Tensors.toDoubles(rounded.flat()), Tensors.toDoubles(exact.flat()));
        assertTrue(error <= 0.05, "differ by " + error);
      }
    }
  }
}
