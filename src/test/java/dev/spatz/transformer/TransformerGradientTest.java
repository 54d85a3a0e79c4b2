package dev.spatz.transformer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.kernel.CounterRandom;
import dev.spatz.kernel.Gelu;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.Tensors;
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

/**
 * The gradients of the whole model, in float64, against central differences of its loss; and that
 * they add up, over passes and over shards of a batch.
 */
class TransformerGradientTest {
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
    return Stream.of(
            gpt2,
            gpt2.withTiedEmbeddings(false).withBiases(false).withGelu(Gelu.EXACT),
            llama.withKeyValueHeads(3),
            llama.withKeyValueHeads(2).withTiedEmbeddings(false).withBiases(true))
        .flatMap(config -> Stream.of(config, config.withDropout(0.2)));
  }

  @ParameterizedTest
  @MethodSource("configs")
  void gradients_equalCentralDifferences(TransformerConfig config) {
    try (Transformer model = TestModels.random(config, DataType.DOUBLE, 3);
        Workspace workspace = model.workspace(SEQUENCES, TIME);
        ParameterSet gradients = like(model);
        ParameterSet scratch = like(model)) {
      shard(model, workspace, 0, gradients);
      for (Parameter parameter : gradients.layout().parameters()) {
        INDArray array = model.parameters().get(parameter.name());
        double[] all = Tensors.toDoubles(gradients.get(parameter.name()));
        long[] sample = sample(parameter);
        double[] analytic = Arrays.stream(sample).mapToDouble(i -> all[(int) i]).toArray();
        double[] numeric =
            Arrays.stream(sample)
                .mapToDouble(i -> difference(model, workspace, scratch, array, i))
                .toArray();
        double error = TestModels.relativeError(analytic, numeric);
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
      shard(model, workspace, 0, once);
      shard(model, workspace, 0, twice);
      shard(model, workspace, 0, twice);
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
      double expected = shard(model, workspace, 0, whole);
      double loss = 0;
      int first = 0;
      for (int sequences : shards) {
        try (Workspace part = model.workspace(sequences, TIME)) {
          loss += shard(model, part, first, sum);
        }
        first += sequences;
      }
      assertEquals(expected, loss, 1e-13 * expected);
      assertTrue(TestModels.relativeError(values(sum), values(whole)) <= 1e-13);
    }
  }

  /** Adds the gradients of the sequences from {@code first} on that fill the workspace. */
  private double shard(Transformer model, Workspace workspace, int first, ParameterSet gradients) {
    int from = first * TIME;
    int to = from + workspace.rows();
    return model.lossAndGradients(
        kernels,
        workspace,
        Arrays.copyOfRange(inputs, from, to),
        Arrays.copyOfRange(targets, from, to),
        scale,
        new DropoutSites(model.config().dropout(), CounterRandom.of(4), first),
        gradients);
  }

  private double difference(
      Transformer model, Workspace workspace, ParameterSet scratch, INDArray array, long index) {
    double value = Tensors.get(array, index);
    Tensors.put(array, index, value + STEP);
    double above = shard(model, workspace, 0, scratch);
    Tensors.put(array, index, value - STEP);
    double below = shard(model, workspace, 0, scratch);
    Tensors.put(array, index, value);
    return scale * (above - below) / (2 * STEP);
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
