package dev.spatz.training;

import static dev.spatz.training.Requirements.atLeast;
import static dev.spatz.training.Requirements.positive;
import static dev.spatz.training.Requirements.require;

import dev.spatz.dataset.Corpus;
import dev.spatz.dataset.DatasetOptions.LastPart;
import dev.spatz.dataset.DatasetOptions.SeparateCorpus;
import dev.spatz.dataset.DatasetOptions.Validation;
import dev.spatz.kernel.Gelu;
import dev.spatz.kernel.Precision;
import dev.spatz.optimizer.AdamWConfig;
import dev.spatz.optimizer.MuonConfig;
import dev.spatz.optimizer.OptimizerConfig;
import dev.spatz.transformer.TransformerConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How to train a model from a corpus. Whoever knows nothing takes {@link #defaults()}: what is
 * automatic is then chosen from the size of the corpus and the time budget, and recorded in a
 * {@link TrainingPlan}.
 *
 * @param tokenizer kind of tokenizer that is learned from the corpus
 * @param vocabularySize most ids of a byte-pair tokenizer, at least 257; {@link #AUTO}: the
 *     model's, or by the size of the corpus. A character tokenizer has the characters of the corpus
 * @param model shape of the model; its vocabularySize is asked of a byte-pair tokenizer, and
 *     becomes what the tokenizer learned; null: a Llama by the size of the corpus
 * @param dropout dropout of an automatically chosen model; a given model has its own
 * @param batchSize sequences of a micro-batch; {@link #AUTO}: by the size of the model
 * @param accumulation micro-batches of a step; gradients are summed over them
 * @param shards parts into which a micro-batch is cut for parallel work, which the result's bytes
 *     depend on; {@link #AUTO}: at most 8, at least 2, of about 256 tokens or more
 * @param steps steps to train; {@link #AUTO}: as many as fit into the time budget on this machine
 * @param timeBudget time for the steps and evaluations, if {@code steps} is automatic
 * @param timeLimit stops early after this time; never changes the schedule; null: no limit
 * @param tokenLimit stops early after training on so many tokens; {@link #AUTO}: no limit
 * @param schedule shape of the learning rate over the steps
 * @param learningRate the highest learning rate; {@link #AUTO}: by the size of the model
 * @param minLearningRate learning rate of the last step; negative: by the schedule
 * @param warmupSteps steps of linear warm-up; negative: a twentieth of the steps, at most 100
 * @param optimizer which one, and its numbers
 * @param gradientClip largest norm of a step's gradient; longer ones are scaled down; 0: no
 *     clipping
 * @param guard what is done with a step whose loss is a spike, or not finite
 * @param averagedSteps the result may be the mean of the weights after each of the last so many
 *     steps, if it is better than any single step's; 0: never; negative: a sixteenth of the steps
 * @param validation what the model is measured with: a last part of the corpus, larger than 0 and
 *     smaller than 1, or a corpus of its own
 * @param evaluationInterval steps between evaluations; {@link #AUTO}: a tenth of the steps
 * @param evaluationTokens validation tokens of an evaluation during training, spread evenly over
 *     the part; {@link #AUTO}: 16,384. The last evaluation takes the whole part
 * @param patience stops early after so many evaluations without improvement; 0: never
 * @param seed of weights, data order and dropout
 * @param threads worker threads; {@link #AUTO}: the processors the JVM sees. The result does not
 *     depend on it
 * @param precision of the matrix products; automatic: bfloat16 where the processor has instructions
 *     for it and the model gains by it
 * @param preference how pairs of answers are learned from, for data of such pairs only; null: as
 *     {@link PreferenceConfig#defaults} says
 * @param checkpoints where the run is kept, so that it can be resumed; null: it is not
 */
public record TrainingConfig(
    TokenizerKind tokenizer,
    int vocabularySize,
    @Nullable TransformerConfig model,
    double dropout,
    int batchSize,
    int accumulation,
    int shards,
    long steps,
    Duration timeBudget,
    @Nullable Duration timeLimit,
    long tokenLimit,
    ScheduleKind schedule,
    double learningRate,
    double minLearningRate,
    long warmupSteps,
    OptimizerConfig optimizer,
    double gradientClip,
    StepGuard guard,
    long averagedSteps,
    Validation validation,
    long evaluationInterval,
    long evaluationTokens,
    int patience,
    long seed,
    int threads,
    Precision precision,
    @Nullable PreferenceConfig preference,
    @Nullable CheckpointConfig checkpoints) {

  /** The value of a number that is chosen automatically. */
  public static final int AUTO = 0;

  /** The smallest vocabulary of a byte-pair tokenizer: all bytes and the end of text. */
  private static final int LEAST_VOCABULARY = 257;

  /**
   * Checks each value.
   *
   * @throws IllegalArgumentException if one is out of its range
   */
  public TrainingConfig {
    if (vocabularySize != AUTO) {
      atLeast(LEAST_VOCABULARY, "vocabularySize", vocabularySize);
      boolean bytePair = tokenizer == TokenizerKind.BYTE_PAIR;
      require(bytePair, "vocabularySize", vocabularySize, "is for byte-pair tokenizers only");
      boolean ofModel = model == null || model.vocabularySize() == vocabularySize;
      require(ofModel, "vocabularySize", vocabularySize, "must be the model's, or automatic");
    }
    require(dropout >= 0 && dropout < 1, "dropout", dropout, "must be at least 0 and below 1");
    require(
        dropout == 0 || model == null,
        "dropout",
        dropout,
        "is for an automatically chosen model; give it to the shape of the model");
    atLeast(0, "batchSize", batchSize);
    atLeast(1, "accumulation", accumulation);
    atLeast(0, "shards", shards);
    atLeast(0, "steps", steps);
    require(positive(timeBudget), "timeBudget", timeBudget, "must be positive");
    require(timeLimit == null || positive(timeLimit), "timeLimit", timeLimit, "must be positive");
    atLeast(0, "tokenLimit", tokenLimit);
    boolean finite = learningRate >= 0 && learningRate < Double.POSITIVE_INFINITY;
    require(finite, "learningRate", learningRate, "must be positive and finite");
    require(!Double.isNaN(minLearningRate), "minLearningRate", minLearningRate, "must be a number");
    require(
        learningRate == AUTO || minLearningRate <= learningRate,
        "minLearningRate",
        minLearningRate,
        "must not exceed the learningRate (" + learningRate + ")");
    require(gradientClip >= 0, "gradientClip", gradientClip, "must not be negative");
    if (validation instanceof LastPart part) {
      boolean proper = part.fraction() > 0 && part.fraction() < 1;
      require(proper, "validationFraction", part.fraction(), "must be above 0 and below 1");
    }
    atLeast(0, "evaluationInterval", evaluationInterval);
    atLeast(0, "evaluationTokens", evaluationTokens);
    atLeast(0, "patience", patience);
    atLeast(0, "threads", threads);
    require(
        batchSize == AUTO || shards <= batchSize,
        "shards",
        shards,
        "must not exceed batchSize (" + batchSize + ")");
  }

  /** Everything by the size of the corpus; about three minutes. */
  public static TrainingConfig defaults() {
    return new TrainingConfig(
        TokenizerKind.BYTE_PAIR,
        AUTO,
        null,
        0,
        AUTO,
        1,
        AUTO,
        AUTO,
        Duration.ofMinutes(3),
        null,
        AUTO,
        ScheduleKind.WARMUP_STABLE_DECAY,
        AUTO,
        -1,
        -1,
        MuonConfig.defaults(),
        1,
        StepGuard.defaults(),
        -1,
        new LastPart(0.1),
        AUTO,
        AUTO,
        0,
        1,
        AUTO,
        Precision.AUTO,
        null,
        null);
  }

  /**
   * nanoGPT's published configuration for a CPU, made for tinyshakespeare: characters, 4 layers, 4
   * heads, 128 channels, context 64, 2,000 steps of 12 sequences; published loss: 1.88.
   */
  public static TrainingConfig nanoGpt() {
    TransformerConfig model =
        TransformerConfig.gpt2(65, 64, 4, 4, 128).withBiases(false).withGelu(Gelu.EXACT);
    return defaults()
        .withTokenizer(TokenizerKind.CHARACTER)
        .withModel(model)
        .withBatchSize(12)
        .withSteps(2000)
        .withOptimizer(AdamWConfig.defaults())
        .withSchedule(ScheduleKind.COSINE)
        .withLearningRate(1e-3)
        .withEvaluationInterval(250);
  }

  /** This configuration with another kind of tokenizer. */
  public TrainingConfig withTokenizer(TokenizerKind value) {
    return with(draft -> draft.tokenizer = value);
  }

  /** This configuration with another vocabulary size. */
  public TrainingConfig withVocabularySize(int value) {
    return with(draft -> draft.vocabularySize = value);
  }

  /** This configuration with a model of this shape; its vocabularySize is what is learned. */
  public TrainingConfig withModel(TransformerConfig value) {
    return with(draft -> draft.model = value);
  }

  /** This configuration with dropout in an automatically chosen model. */
  public TrainingConfig withDropout(double value) {
    return with(draft -> draft.dropout = value);
  }

  /** This configuration with another number of sequences a micro-batch. */
  public TrainingConfig withBatchSize(int value) {
    return with(draft -> draft.batchSize = value);
  }

  /** This configuration with another number of micro-batches a step. */
  public TrainingConfig withAccumulation(int value) {
    return with(draft -> draft.accumulation = value);
  }

  /** This configuration with another number of shards. */
  public TrainingConfig withShards(int value) {
    return with(draft -> draft.shards = value);
  }

  /** This configuration with a fixed number of steps. */
  public TrainingConfig withSteps(long value) {
    return with(draft -> draft.steps = value);
  }

  /** This configuration with as many steps as fit into a time. */
  public TrainingConfig withTimeBudget(Duration value) {
    return with(draft -> draft.timeBudget = value);
  }

  /** This configuration, stopping early after a time. */
  public TrainingConfig withTimeLimit(Duration value) {
    return with(draft -> draft.timeLimit = value);
  }

  /** This configuration, stopping early after a number of tokens. */
  public TrainingConfig withTokenLimit(long value) {
    return with(draft -> draft.tokenLimit = value);
  }

  /** This configuration with another shape of the learning rate. */
  public TrainingConfig withSchedule(ScheduleKind value) {
    return with(draft -> draft.schedule = value);
  }

  /** This configuration with another highest learning rate. */
  public TrainingConfig withLearningRate(double value) {
    return with(draft -> draft.learningRate = value);
  }

  /** This configuration with another last learning rate. */
  public TrainingConfig withMinLearningRate(double value) {
    return with(draft -> draft.minLearningRate = value);
  }

  /** This configuration with another length of the warm-up. */
  public TrainingConfig withWarmupSteps(long value) {
    return with(draft -> draft.warmupSteps = value);
  }

  /** This configuration with another optimizer. */
  public TrainingConfig withOptimizer(OptimizerConfig value) {
    return with(draft -> draft.optimizer = value);
  }

  /** This configuration with another limit of the gradient's norm. */
  public TrainingConfig withGradientClip(double value) {
    return with(draft -> draft.gradientClip = value);
  }

  /** This configuration, doing something else with steps that cannot be trusted. */
  public TrainingConfig withGuard(StepGuard value) {
    return with(draft -> draft.guard = value);
  }

  /** This configuration with another number of last steps whose mean may be the result. */
  public TrainingConfig withAveragedSteps(long value) {
    return with(draft -> draft.averagedSteps = value);
  }

  /** This configuration, measuring with this part of the corpus, its last. */
  public TrainingConfig withValidationFraction(double value) {
    return with(draft -> draft.validation = new LastPart(value));
  }

  /** This configuration, measuring with another corpus, and training on the whole one. */
  public TrainingConfig withValidationCorpus(Corpus value) {
    return with(draft -> draft.validation = new SeparateCorpus(value));
  }

  /** This configuration with other steps between evaluations. */
  public TrainingConfig withEvaluationInterval(long value) {
    return with(draft -> draft.evaluationInterval = value);
  }

  /** This configuration with another size of the evaluations during training. */
  public TrainingConfig withEvaluationTokens(long value) {
    return with(draft -> draft.evaluationTokens = value);
  }

  /** This configuration, stopping after so many evaluations without improvement. */
  public TrainingConfig withPatience(int value) {
    return with(draft -> draft.patience = value);
  }

  /** This configuration with another seed. */
  public TrainingConfig withSeed(long value) {
    return with(draft -> draft.seed = value);
  }

  /** This configuration with another number of worker threads. */
  public TrainingConfig withThreads(int value) {
    return with(draft -> draft.threads = value);
  }

  /** This configuration with another precision of the matrix products. */
  public TrainingConfig withPrecision(Precision value) {
    return with(draft -> draft.precision = value);
  }

  /** This configuration, learning from pairs of answers in this way; null: by the defaults. */
  public TrainingConfig withPreference(@Nullable PreferenceConfig value) {
    return with(draft -> draft.preference = value);
  }

  /** This configuration, keeping checkpoints of the run in a directory of its own. */
  public TrainingConfig withCheckpoints(Path directory) {
    return withCheckpoints(CheckpointConfig.of(directory));
  }

  /** This configuration, keeping checkpoints of the run; null: none. */
  public TrainingConfig withCheckpoints(@Nullable CheckpointConfig value) {
    return with(draft -> draft.checkpoints = value);
  }

  private TrainingConfig with(Consumer<TrainingConfigDraft> change) {
    TrainingConfigDraft draft = new TrainingConfigDraft(this);
    change.accept(draft);
    return draft.config();
  }
}
