package dev.spatz.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.dataset.Corpus;
import dev.spatz.dataset.Dataset;
import dev.spatz.dataset.DatasetOptions;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Tensors;
import dev.spatz.tokenizer.CharacterTokenizer;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

class TrainerTest {
  private static final String TEXT = "der spatz in der hand ist besser als die taube. ".repeat(40);
  private static final KernelBackend KERNELS = KernelBackend.ND4J;

  private Dataset data;
  private TransformerConfig shape;

  @BeforeEach
  void prepare() throws IOException {
    CharacterTokenizer tokenizer = CharacterTokenizer.learn(List.of(TEXT));
    data =
        Dataset.prepare(Corpus.of(List.of(TEXT)::iterator), tokenizer, DatasetOptions.defaults());
    shape = TransformerConfig.llama(tokenizer.vocabularySize(), 16, 2, 2, 16);
  }

  @AfterEach
  void close() {
    data.close();
  }

  private static TrainingConfig config() {
    return TrainingConfig.defaults()
        .withSteps(6)
        .withBatchSize(5)
        .withWarmupSteps(0)
        .withLearningRate(1e-2)
        .withThreads(1);
  }

  /** The weights after a run, and what its listener heard. */
  private final class Run implements TrainingListener {
    final List<StepReport> steps = new ArrayList<>();
    final List<Evaluation> evaluations = new ArrayList<>();
    final TrainingResult result;
    final double[] weights;
    private final Cancellation cancellation = new Cancellation();
    private final long cancelAfter;

    Run(DataType type, TransformerConfig model, TrainingConfig config, long cancelAfter) {
      this.cancelAfter = cancelAfter;
      try (Transformer transformer = Transformer.initialized(model, type, config.seed());
          Trainer trainer = Trainer.create(transformer, data, config, KERNELS)) {
        result = trainer.run(this, cancellation);
        weights = Tensors.toDoubles(transformer.parameters().flat());
      }
    }

    @Override
    public void stepDone(StepReport report) {
      steps.add(report);
      if (report.step() == cancelAfter) {
        cancellation.cancel();
      }
    }

    @Override
    public void evaluated(long step, Evaluation evaluation, boolean best) {
      evaluations.add(evaluation);
    }
  }

  private Run run(TrainingConfig config) {
    return new Run(DataType.FLOAT, shape, config, -1);
  }

  @Test
  void run_lowersTheLoss() {
    Run run = run(config().withSteps(60));
    assertTrue(run.steps.get(0).loss() > 2.5);
    assertTrue(run.result.evaluation().natsPerToken() < 2, run.result.toString());
    assertEquals(StopReason.STEPS, run.result.reason());
    assertEquals(60, run.result.steps());
    assertEquals(60 * 5 * 16, run.result.tokens());
  }

  @Test
  void run_givesTheSameBytesOnAnyNumberOfThreads() {
    TransformerConfig dropping = shape.withDropout(0.1);
    double[] one = new Run(DataType.FLOAT, dropping, config(), -1).weights;
    double[] two = new Run(DataType.FLOAT, dropping, config().withThreads(2), -1).weights;
    double[] three = new Run(DataType.FLOAT, dropping, config().withThreads(3), -1).weights;
    assertArrayEquals(one, two);
    assertArrayEquals(one, three);
  }

  @Test
  void run_givesTheSameToRoundingForAnyShards() {
    TransformerConfig dropping = shape.withDropout(0.1);
    double[] whole = new Run(DataType.DOUBLE, dropping, config().withShards(1), -1).weights;
    for (int shards = 2; shards <= 5; shards++) {
      double[] cut = new Run(DataType.DOUBLE, dropping, config().withShards(shards), -1).weights;
      assertArrayEquals(whole, cut, 1e-9, shards + " shards");
    }
  }

  /** The batch of 6 as 3 micro-batches of 2: sequence i of the batch is the same sequence. */
  @Test
  void run_givesTheSameToRoundingForAnyAccumulation() {
    TrainingConfig six = config().withBatchSize(6).withShards(1);
    TrainingConfig threeTimesTwo = config().withBatchSize(2).withAccumulation(3).withShards(2);
    double[] whole = new Run(DataType.DOUBLE, shape, six, -1).weights;
    double[] accumulated = new Run(DataType.DOUBLE, shape, threeTimesTwo, -1).weights;
    assertArrayEquals(whole, accumulated, 1e-9);
  }

  @Test
  void run_dependsOnTheSeed() {
    double[] one = run(config().withSeed(1)).weights;
    double[] other = run(config().withSeed(2)).weights;
    assertFalse(java.util.Arrays.equals(one, other));
  }

  @Test
  void run_leavesTheBestWeights() {
    // after a good start the learning rate jumps to a ruinous value
    TrainingConfig ruinous =
        config().withSteps(12).withEvaluationInterval(1).withWarmupSteps(12).withLearningRate(5);
    Run run = run(ruinous.withGradientClip(0));
    double best =
        run.evaluations.stream().mapToDouble(Evaluation::natsPerToken).min().orElseThrow();
    assertTrue(run.result.bestStep() < 12, run.result.toString());
    assertEquals(best, run.result.evaluation().natsPerToken(), 1e-12);
  }

  @Test
  void run_mayResultInTheMeanOfTheLastWeights() {
    List<double[]> weights = new ArrayList<>();
    List<Evaluation> evaluations = new ArrayList<>();
    TrainingConfig averaging = config().withSteps(8).withAveragedSteps(3);
    try (Transformer transformer = Transformer.initialized(shape, DataType.DOUBLE, 1);
        Trainer trainer = Trainer.create(transformer, data, averaging, KERNELS)) {
      TrainingListener recording =
          new TrainingListener() {
            @Override
            public void stepDone(StepReport report) {
              weights.add(Tensors.toDoubles(transformer.parameters().flat()));
            }

            @Override
            public void evaluated(long step, Evaluation evaluation, boolean best) {
              evaluations.add(evaluation);
            }
          };
      trainer.run(recording, new Cancellation());
      double[] mean = new double[weights.get(0).length];
      for (double[] last : weights.subList(5, 8)) {
        for (int i = 0; i < mean.length; i++) {
          mean[i] += last[i] / 3;
        }
      }
      Tensors.write(transformer.parameters().flat(), 0, mean, 0, mean.length);
      Evaluation expected = Evaluator.evaluate(transformer, data.validation(), 1, KERNELS);
      Evaluation averaged = evaluations.get(evaluations.size() - 1);
      assertEquals(expected.natsPerToken(), averaged.natsPerToken(), 1e-12);
    }
  }

  @Test
  void run_stopsWhenCancelled() {
    Run run = new Run(DataType.FLOAT, shape, config(), 2);
    assertEquals(StopReason.CANCELLED, run.result.reason());
    assertEquals(2, run.result.steps());
  }

  @Test
  void run_stopsWhenInterrupted() {
    try (Transformer transformer = Transformer.initialized(shape, DataType.FLOAT, 1);
        Trainer trainer = Trainer.create(transformer, data, config(), KERNELS)) {
      Thread.currentThread().interrupt();
      TrainingResult result = trainer.run(TrainingListener.NONE, new Cancellation());
      assertEquals(StopReason.CANCELLED, result.reason());
    } finally {
      assertTrue(Thread.interrupted());
    }
  }

  @Test
  void run_stopsAtTheTokenLimit() {
    Run run = run(config().withTokenLimit(200));
    assertEquals(StopReason.TOKENS, run.result.reason());
    assertEquals(3, run.result.steps());
  }

  @Test
  void run_stopsAtTheTimeLimitWithoutChangingTheSchedule() {
    Run limited = run(config().withTimeLimit(Duration.ofNanos(1)));
    assertEquals(StopReason.TIME, limited.result.reason());
    assertEquals(0, limited.result.steps());
  }

  @Test
  void run_stopsWhenPatienceEnds() {
    TrainingConfig hopeless =
        config().withSteps(50).withLearningRate(1e-300).withEvaluationInterval(1).withPatience(2);
    Run run = run(hopeless);
    assertEquals(StopReason.PATIENCE, run.result.reason());
    assertTrue(run.result.steps() < 50, run.result.toString());
  }

  @Test
  void run_stopsWhereTheLossIsNotFinite() {
    try (Transformer transformer = Transformer.initialized(shape, DataType.FLOAT, 1);
        Trainer trainer =
            Trainer.create(
                transformer,
                data,
                config()
                    .withSteps(50)
                    .withLearningRate(1e38)
                    .withGradientClip(0)
                    .withGuard(StepGuard.defaults().withMost(0)),
                KERNELS)) {
      double[] before = Tensors.toDoubles(transformer.parameters().flat());
      TrainingDivergedException e =
          assertThrows(
              TrainingDivergedException.class,
              () -> trainer.run(TrainingListener.NONE, new Cancellation()));
      assertTrue(e.getMessage().startsWith("step " + e.step()), e.getMessage());
      assertArrayEquals(before, Tensors.toDoubles(transformer.parameters().flat()));
    }
  }

  @Test
  void create_timesStepsWithoutChangingTheWeights() {
    TrainingConfig budget =
        config().withSteps(TrainingConfig.AUTO).withTimeBudget(Duration.ofMillis(300));
    try (Transformer transformer = Transformer.initialized(shape, DataType.FLOAT, 1)) {
      double[] before = Tensors.toDoubles(transformer.parameters().flat());
      try (Trainer trainer = Trainer.create(transformer, data, budget, KERNELS)) {
        assertTrue(trainer.plan().steps() >= 1);
      }
      assertArrayEquals(before, Tensors.toDoubles(transformer.parameters().flat()));
    }
  }

  @Test
  void create_takesAnyTimeBudget() {
    TrainingConfig endless =
        config().withSteps(TrainingConfig.AUTO).withTimeBudget(Duration.ofSeconds(Long.MAX_VALUE));
    try (Transformer transformer = Transformer.initialized(shape, DataType.FLOAT, 1);
        Trainer trainer = Trainer.create(transformer, data, endless, KERNELS)) {
      assertTrue(trainer.plan().steps() > 1_000_000_000L);
    }
  }

  @Test
  void create_refusesAWarmUpLongerThanTheRun() {
    try (Transformer transformer = Transformer.initialized(shape, DataType.FLOAT, 1)) {
      String message =
          assertThrows(
                  IllegalArgumentException.class,
                  () ->
                      Trainer.create(
                          transformer, data, config().withSteps(5).withWarmupSteps(6), KERNELS))
              .getMessage();
      assertTrue(message.startsWith("warmupSteps (6) must not exceed steps (5)"), message);
    }
  }

  @Test
  void create_refusesTooLittleText() {
    try (Transformer transformer =
        Transformer.initialized(shape.withContextLength(5000), DataType.FLOAT, 1)) {
      String message =
          assertThrows(
                  IllegalArgumentException.class,
                  () -> Trainer.create(transformer, data, config(), KERNELS))
              .getMessage();
      assertTrue(message.contains("5,001"), message);
    }
  }

  @Test
  void create_refusesForeignVocabulary() {
    try (Transformer transformer =
        Transformer.initialized(shape.withVocabularySize(3), DataType.FLOAT, 1)) {
      assertThrows(
          IllegalArgumentException.class,
          () -> Trainer.create(transformer, data, config(), KERNELS));
    }
  }

  @Test
  void create_refusesMoreShardsThanSequences() {
    try (Transformer transformer = Transformer.initialized(shape, DataType.FLOAT, 1)) {
      assertThrows(
          IllegalArgumentException.class,
          () -> Trainer.create(transformer, data, config().withShards(6), KERNELS));
    }
  }
}
