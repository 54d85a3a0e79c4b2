package dev.spatz.transformer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.kernel.CounterRandom;
import dev.spatz.kernel.Gelu;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.Tensors;
import dev.spatz.kernel.WriteMode;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The gradients of the whole model, in float64, against central differences of its loss; and that
 * they add up, over passes and over shards of a batch.
 */
class TransformerGradientTest {
  private static final Logger LOG = LoggerFactory.getLogger(TransformerGradientTest.class);

  private static final int SEQUENCES = 6;
  private static final int TIME = 5;
  private static final int VOCABULARY = 7;

  /** Elements of each parameter whose difference is taken; smaller parameters have all. */
  private static final int SAMPLES = 20;

  /** Balances the difference's own errors: step² of truncation, 10⁻¹⁶/step of rounding. */
  private static final double STEP = 1e-5;

  private final Kernels kernels = KernelBackend.ND4J.create();
  private final int[] inputs = TestModels.ids(SEQUENCES * TIME, VOCABULARY, 1);
  private final int[] targets = TestModels.targets(SEQUENCES * TIME, VOCABULARY, 2);
  private final double scale = TestModels.scale(targets);

  @AfterEach
  void close() {
    kernels.close();
  }

  static Stream<TransformerConfig> configs() {
    TransformerConfig gpt2 = TransformerConfig.gpt2(VOCABULARY, TIME, 2, 3, 12).withFeedForward(10);
    TransformerConfig llama =
        TransformerConfig.llama(VOCABULARY, TIME, 2, 6, 12).withHeadSize(4).withFeedForward(10);
    TransformerConfig qwen2 =
        TransformerConfig.qwen2(VOCABULARY, TIME, 2, 6, 12).withFeedForward(10);
    TransformerConfig qwen3 =
        TransformerConfig.qwen3(VOCABULARY, TIME, 2, 6, 12).withHeadSize(4).withFeedForward(10);
    return Stream.of(
        qwen2.withKeyValueHeads(3),
        qwen3.withKeyValueHeads(3).withDropout(0.2),
        qwen3.withBiases(Biases.ATTENTION).withTiedEmbeddings(false),
        gpt2,
        gpt2.withDropout(0.2),
        gpt2.withTiedEmbeddings(false).withBiases(false).withGelu(Gelu.EXACT).withDropout(0.2),
        llama.withKeyValueHeads(3),
        llama.withKeyValueHeads(3).withDropout(0.2),
        llama.withKeyValueHeads(2).withTiedEmbeddings(false).withBiases(true).withDropout(0.2));
  }

  @ParameterizedTest
  @MethodSource("configs")
  void gradients_equalCentralDifferences(TransformerConfig config) {
    Batch batch = batch(4, 2);
    try (Transformer model = TestModels.random(config, DataType.DOUBLE, 3);
        Workspace workspace = model.workspace(batch.sequences, TIME);
        ParameterSet gradients = like(model)) {
      lossAndGradients(model, workspace, batch, WriteMode.ADD, gradients);
      for (Parameter parameter : gradients.layout().parameters()) {
        INDArray weights = model.parameters().get(parameter.name());
        INDArray gradient = gradients.get(parameter.name());
        long[] sample = sample(parameter);
        double[] analytic =
            Arrays.stream(sample).mapToDouble(i -> Tensors.get(gradient, i)).toArray();
        double[] numeric =
            Arrays.stream(sample)
                .mapToDouble(i -> difference(model, workspace, batch, weights, i))
                .toArray();
        double error = TestModels.relativeError(analytic, numeric);
        LOG.info("{}: {} within {}", config, parameter.name(), "%.1e".formatted(error));
        assertTrue(error <= 1e-6, () -> parameter.name() + " differs by " + error);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("configs")
  void gradients_addUpOverPasses(TransformerConfig config) {
    try (Transformer model = TestModels.random(config, DataType.DOUBLE, 3);
        Workspace workspace = model.workspace(SEQUENCES, TIME);
        ParameterSet once = like(model);
        ParameterSet twice = like(model)) {
      Batch batch = batch(0, SEQUENCES);
      lossAndGradients(model, workspace, batch, WriteMode.ADD, once);
      lossAndGradients(model, workspace, batch, WriteMode.ADD, twice);
      lossAndGradients(model, workspace, batch, WriteMode.ADD, twice);
      double[] doubled = Arrays.stream(values(once)).map(x -> 2 * x).toArray();
      assertTrue(TestModels.relativeError(values(twice), doubled) <= 1e-14);
    }
  }

  static Stream<Arguments> shardings() {
    return configs()
        .flatMap(
            config ->
                Stream.of(List.of(3, 3), List.of(2, 4), List.of(1, 2, 3))
                    .map(shards -> Arguments.of(config, shards)));
  }

  @ParameterizedTest
  @MethodSource("shardings")
  void gradientsOfShards_addUpToThoseOfTheBatch(TransformerConfig config, List<Integer> shards) {
    try (Transformer model = TestModels.random(config, DataType.DOUBLE, 3);
        Workspace workspace = model.workspace(SEQUENCES, TIME);
        ParameterSet whole = like(model);
        ParameterSet sum = like(model)) {
      double expected =
          lossAndGradients(model, workspace, batch(0, SEQUENCES), WriteMode.ADD, whole);
      double loss = 0;
      int first = 0;
      for (int sequences : shards) {
        try (Workspace part = model.workspace(sequences, TIME)) {
          loss += lossAndGradients(model, part, batch(first, sequences), WriteMode.ADD, sum);
        }
        first += sequences;
      }
      assertEquals(expected, loss, 1e-13 * expected);
      assertTrue(TestModels.relativeError(values(sum), values(whole)) <= 1e-13);
    }
  }

  /** Some sequences of the whole batch. */
  private record Batch(int first, int sequences, int[] inputs, int[] targets) {}

  private Batch batch(int first, int sequences) {
    int from = first * TIME;
    int to = from + sequences * TIME;
    return new Batch(
        first,
        sequences,
        Arrays.copyOfRange(inputs, from, to),
        Arrays.copyOfRange(targets, from, to));
  }

  private static DropoutSites dropout(Transformer model, Batch batch) {
    return TestModels.dropout(
        model.config(), model.config().dropout(), CounterRandom.of(4), batch.first);
  }

  private double lossAndGradients(
      Transformer model, Workspace workspace, Batch batch, WriteMode mode, ParameterSet gradients) {
    return model.lossAndGradients(
        kernels,
        workspace,
        batch.inputs,
        batch.targets,
        scale,
        dropout(model, batch),
        mode,
        gradients);
  }

  /** The slope of the scaled loss over one weight; the dropout's mask stays the same. */
  private double difference(
      Transformer model, Workspace workspace, Batch batch, INDArray weights, long index) {
    double value = Tensors.get(weights, index);
    Tensors.put(weights, index, value + STEP);
    double above = loss(model, workspace, batch);
    Tensors.put(weights, index, value - STEP);
    double below = loss(model, workspace, batch);
    Tensors.put(weights, index, value);
    return scale * (above - below) / (2 * STEP);
  }

  /** The sum of the losses, with dropout. */
  private double loss(Transformer model, Workspace workspace, Batch batch) {
    model
        .passes()
        .forward(kernels, model.weights(), workspace, batch.inputs, dropout(model, batch));
    return kernels.crossEntropy(
        workspace.activations.norm.values(),
        TestModels.head(model),
        batch.targets,
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
    // Strata, so that every block of a fused matrix is met.
    CounterRandom random = CounterRandom.of(5).child(parameter.offset());
    return LongStream.range(0, SAMPLES)
        .map(
            i -> {
              long from = i * parameter.size() / SAMPLES;
              long to = (i + 1) * parameter.size() / SAMPLES;
              return from + random.below(i, to - from);
            })
        .toArray();
  }

  private static double[] values(ParameterSet set) {
    return Tensors.toDoubles(set.flat());
  }

  private static ParameterSet like(Transformer model) {
    return ParameterSet.zeros(model.parameters().layout(), model.dataType());
  }
}
