package dev.spatz.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.dataset.EncodedExample;
import dev.spatz.dataset.EncodedPreference;
import dev.spatz.dataset.ExampleSet;
import dev.spatz.dataset.Sequences;
import dev.spatz.kernel.CounterRandom;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.Precision;
import dev.spatz.kernel.Tensors;
import dev.spatz.kernel.WriteMode;
import dev.spatz.tokenizer.CharacterTokenizer;
import dev.spatz.transformer.DropoutSites;
import dev.spatz.transformer.ParameterSet;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.TransformerConfig;
import dev.spatz.transformer.Workspace;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

class PreferenceObjectiveTest {
  private static final CharacterTokenizer TOKENIZER = CharacterTokenizer.learn(List.of("abcde=."));
  private static final int TIME = 32;
  private static final TransformerConfig SHAPE =
      TransformerConfig.qwen3(TOKENIZER.vocabularySize(), TIME, 1, 2, 8).withTiedEmbeddings(false);

  /** Pairs of answers of different lengths, one of them as long as the context allows. */
  private static List<EncodedPreference> pairs(int count, long seed) {
    Random random = new Random(seed);
    List<EncodedPreference> pairs = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String prompt = letters(random, 1 + random.nextInt(5)) + "=";
      int length = i == 3 ? TIME - prompt.length() : 1 + random.nextInt(9);
      pairs.add(
          new EncodedPreference(
              example(prompt, letters(random, length)),
              example(prompt, letters(random, 1 + random.nextInt(9)))));
    }
    return pairs;
  }

  private static String letters(Random random, int count) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < count; i++) {
      text.append((char) ('a' + random.nextInt(5)));
    }
    return text.toString();
  }

  private static EncodedExample example(String prompt, String answer) {
    int[] ids = TOKENIZER.encode(prompt + answer + ".");
    boolean[] predicted = new boolean[ids.length];
    Arrays.fill(predicted, prompt.length(), ids.length, true);
    return new EncodedExample(ids, predicted);
  }

  private static void disturb(Transformer model, double size, long seed) {
    CounterRandom random = CounterRandom.of(seed);
    INDArray flat = model.parameters().flat();
    for (long i = 0; i < flat.length(); i++) {
      Tensors.put(flat, i, Tensors.get(flat, i) + size * random.gaussian(i));
    }
  }

  /** A log-probability by its definition: the example alone. */
  private static double logProbability(
      Kernels kernels, Transformer model, EncodedExample example, boolean mean) {
    int n = example.ids().length - 1;
    int[] targets =
        IntStream.rangeClosed(1, n)
            .map(i -> example.predicted()[i] ? example.ids()[i] : -1)
            .toArray();
    try (Workspace workspace = model.workspace(1, n)) {
      double sum = -model.loss(kernels, workspace, Arrays.copyOf(example.ids(), n), targets, null);
      return mean ? sum / IntStream.of(targets).filter(target -> target >= 0).count() : sum;
    }
  }

  /** What the chosen answer is likelier than the rejected one, of each pair. */
  private static double[] advantages(
      Transformer model, List<EncodedPreference> pairs, boolean mean) {
    try (Kernels kernels = KernelBackend.ND4J.create()) {
      return pairs.stream()
          .mapToDouble(
              pair ->
                  logProbability(kernels, model, pair.chosen(), mean)
                      - logProbability(kernels, model, pair.rejected(), mean))
          .toArray();
    }
  }

  /** The mean loss of pairs as Rafailov et al. (2023) and Mitchell (2023) define it. */
  private static double loss(
      Transformer model, double[] reference, List<EncodedPreference> pairs, PreferenceConfig c) {
    double[] now = advantages(model, pairs, c.lengthNormalized());
    double loss = 0;
    for (int i = 0; i < now.length; i++) {
      double right = 1 / (1 + Math.exp(-c.beta() * (now[i] - reference[i])));
      loss -= (1 - c.labelSmoothing()) * Math.log(right);
      loss -= c.labelSmoothing() * Math.log(1 - right);
    }
    return loss / now.length;
  }

  static Stream<PreferenceConfig> configs() {
    return Stream.of(
        PreferenceConfig.defaults(),
        new PreferenceConfig(0.7, 0.2, false),
        new PreferenceConfig(3, 0.1, true));
  }

  @ParameterizedTest
  @MethodSource("configs")
  void lossAndGradients_areThoseOfTheDefinition(PreferenceConfig config) {
    List<EncodedPreference> pairs = pairs(7, 1);
    ExampleSet data = ExampleSet.ofPreferences(pairs, pairs, TOKENIZER);
    Sequences sequences = data.trainSequences(TIME);
    try (Transformer model = Transformer.initialized(SHAPE, DataType.DOUBLE, 1);
        WorkerTeam team = new WorkerTeam(1, model, KernelBackend.ND4J);
        Objective objective = new PreferenceObjective(model, sequences, sequences, config);
        ParameterSet gradients = ParameterSet.zeros(model.parameters().layout(), DataType.DOUBLE)) {
      disturb(model, 0.3, 1);
      double[] reference = advantages(model, pairs, config.lengthNormalized());
      objective.begin(2, team);
      disturb(model, 0.2, 2);
      objective.begin(2, team); // once is enough

      double sum = lossAndGradients(objective, team, pairs.size(), gradients);
      assertEquals(loss(model, reference, pairs, config), sum / pairs.size(), 1e-12);
      PreferenceEvaluation evaluation = objective.evaluate(Long.MAX_VALUE, 3, team).preferences();
      assertEquals(pairs.size(), evaluation.pairs());
      assertEquals(sum / pairs.size(), evaluation.loss(), 1e-12);

      INDArray weights = model.parameters().flat();
      CounterRandom random = CounterRandom.of(3);
      double step = 1e-5;
      double largest = 0;
      for (int i = 0; i < 30; i++) {
        long at = random.below(i, weights.length());
        double value = Tensors.get(weights, at);
        Tensors.put(weights, at, value + step);
        double above = loss(model, reference, pairs, config);
        Tensors.put(weights, at, value - step);
        double below = loss(model, reference, pairs, config);
        Tensors.put(weights, at, value);
        assertEquals((above - below) / (2 * step), Tensors.get(gradients.flat(), at), 1e-8);
        largest = Math.max(largest, Math.abs(Tensors.get(gradients.flat(), at)));
      }
      assertTrue(largest > 1e-3, "gradients of " + largest + " would prove nothing");
    }
  }

  /** All sequences in one pass, with room for one more, which is empty. */
  private static double lossAndGradients(
      Objective objective, WorkerTeam team, int pairs, ParameterSet gradients) {
    Sequences train = objective.train();
    int count = (int) train.starts();
    assertTrue(count > 1 && count < pairs, count + " sequences");
    long counted = IntStream.range(0, count).mapToLong(objective::counted).sum();
    assertEquals(pairs, counted);
    double[] sum = new double[1];
    team.forEach(
        1,
        (worker, any) -> {
          WorkerTeam.Pass pass = worker.pass(train, count);
          pass.sample(train, LongStream.range(0, count).toArray(), 0, count);
          sum[0] =
              objective.lossAndGradients(
                  worker, pass, 1.0 / counted, DropoutSites.NONE, WriteMode.OVERWRITE, gradients);
        });
    return sum[0];
  }

  private record Run(double[] weights, List<Double> losses, TrainingResult result) {}

  private static Run train(
      int threads, int shards, double dropout, KernelBackend backend, Precision precision) {
    TrainingConfig config =
        TrainingConfig.defaults()
            .withPreference(PreferenceConfig.defaults())
            .withSteps(12)
            .withBatchSize(4)
            .withShards(shards)
            .withAccumulation(2)
            .withAveragedSteps(0)
            .withLearningRate(2e-3)
            .withEvaluationInterval(6)
            .withPrecision(precision)
            .withThreads(threads);
    ExampleSet data = ExampleSet.ofPreferences(pairs(40, 1), pairs(9, 2), TOKENIZER);
    TransformerConfig shape =
        TransformerConfig.llama(TOKENIZER.vocabularySize(), TIME, 1, 2, 32).withDropout(dropout);
    List<Double> losses = new ArrayList<>();
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void stepDone(StepReport report) {
            losses.add(report.loss());
          }
        };
    try (Transformer model = Transformer.initialized(shape, DataType.FLOAT, 1);
        Trainer trainer = Trainer.create(model, data, config, backend)) {
      TrainingResult result = trainer.run(listener, new Cancellation());
      return new Run(Tensors.toDoubles(model.parameters().flat()), losses, result);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "BF16"})
  void threads_changeNoBit(Precision precision) {
    KernelBackend backend = KernelBackend.ONEDNN;
    try {
      precision.resolve(backend, 32);
    } catch (IllegalStateException e) {
      Assumptions.abort(e.getMessage());
    }
    Run one = train(1, 4, 0.1, backend, precision);
    Run two = train(2, 4, 0.1, backend, precision);
    assertArrayEquals(one.weights, two.weights);
    assertEquals(one.losses, two.losses);
  }

  @Test
  void shardsAndKernels_changeNothingButTheRounding() {
    Run one = train(1, 1, 0, KernelBackend.ND4J, Precision.FLOAT32);
    Run two = train(2, 4, 0, KernelBackend.ONEDNN, Precision.FLOAT32);
    for (int i = 0; i < 3; i++) { // later steps carry the differences on
      assertEquals(one.losses.get(i), two.losses.get(i), 1e-4);
    }
  }

  @Test
  void dataAndConfiguration_mustFit() {
    ExampleSet pairs = ExampleSet.ofPreferences(pairs(5, 1), pairs(5, 1), TOKENIZER);
    List<EncodedExample> alone = pairs(5, 1).stream().map(EncodedPreference::chosen).toList();
    ExampleSet examples = ExampleSet.of(alone, alone, TOKENIZER);
    TrainingConfig without = TrainingConfig.defaults().withSteps(1).withThreads(1);
    TrainingConfig with = without.withPreference(PreferenceConfig.defaults());
    KernelBackend backend = KernelBackend.ND4J;
    try (Transformer model = Transformer.initialized(SHAPE, DataType.FLOAT, 1)) {
      assertThrows(
          IllegalArgumentException.class, () -> Trainer.create(model, pairs, without, backend));
      assertThrows(
          IllegalArgumentException.class, () -> Trainer.create(model, examples, with, backend));
    }
  }

  @Test
  void numbersOutOfRange_areRefused() {
    PreferenceConfig config = PreferenceConfig.defaults();
    for (double beta : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThrows(IllegalArgumentException.class, () -> config.withBeta(beta));
    }
    for (double part : new double[] {-0.1, 0.5, Double.NaN}) {
      assertThrows(IllegalArgumentException.class, () -> config.withLabelSmoothing(part));
    }
  }
}
