package dev.spatz.training;

import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Precision;
import dev.spatz.optimizer.LearningRateSchedule;
import dev.spatz.optimizer.OptimizerConfig;
import dev.spatz.transformer.TransformerConfig;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A training run with everything decided, nothing automatic any more: the same data and the same
 * plan give the same bytes of weights on the same instruction set.
 *
 * @param model shape of the model
 * @param batchSize sequences of a micro-batch
 * @param accumulation micro-batches of a step
 * @param shards parts of a micro-batch
 * @param steps steps of the schedule
 * @param schedule learning rate of every step
 * @param optimizer which optimizer, and its numbers
 * @param gradientClip largest norm of a gradient, 0 for no clipping
 * @param guard what is done with a step that cannot be trusted
 * @param averagedSteps the last steps whose mean of weights may be the result, 0 for none
 * @param evaluationInterval steps between evaluations
 * @param evaluationTokens tokens of an evaluation during training
 * @param patience evaluations without improvement before stopping early, 0 for never
 * @param timeLimit stops early after this time, or null
 * @param tokenLimit stops early after so many tokens, or {@link TrainingConfig#AUTO}
 * @param seed of weights, data order and dropout
 * @param kernels which kernels compute
 * @param precision of the matrix products, never automatic
 * @param preference how pairs of answers are learned from, or null for other data
 */
public record TrainingPlan(
    TransformerConfig model,
    int batchSize,
    int accumulation,
    int shards,
    long steps,
    LearningRateSchedule schedule,
    OptimizerConfig optimizer,
    double gradientClip,
    StepGuard guard,
    long averagedSteps,
    long evaluationInterval,
    long evaluationTokens,
    int patience,
    @Nullable Duration timeLimit,
    long tokenLimit,
    long seed,
    KernelBackend kernels,
    Precision precision,
    @Nullable PreferenceConfig preference) {

  private static final long EVALUATION_TOKENS = 1 << 14;
  private static final int EVALUATIONS = 10;
  private static final int AVERAGED_PART = 16;

  /** Decides what is automatic in a configuration, for a model and a number of steps. */
  static TrainingPlan of(
      TrainingConfig config, TransformerConfig model, long steps, KernelBackend kernels) {
    int batchSize = config.batchSize() > 0 ? config.batchSize() : Automatic.batchSize(model);
    int shards =
        config.shards() > 0
            ? config.shards()
            : Automatic.shards(model, batchSize, Runtime.getRuntime().availableProcessors());
    if (shards > batchSize) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "shards (%d) must not exceed batchSize (%d)", shards, batchSize));
    }
    return new TrainingPlan(
        model,
        batchSize,
        config.accumulation(),
        shards,
        steps,
        schedule(config, model, steps),
        config.optimizer(),
        config.gradientClip(),
        config.guard(),
        config.averagedSteps() >= 0
            ? Math.min(config.averagedSteps(), steps)
            : steps / AVERAGED_PART,
        config.evaluationInterval() > 0
            ? config.evaluationInterval()
            : Math.max(1, steps / EVALUATIONS),
        config.evaluationTokens() > 0 ? config.evaluationTokens() : EVALUATION_TOKENS,
        config.patience(),
        config.timeLimit(),
        config.tokenLimit(),
        config.seed(),
        kernels,
        config.precision().resolve(kernels, model.channels()),
        config.preference());
  }

  private static LearningRateSchedule schedule(
      TrainingConfig config, TransformerConfig model, long steps) {
    double peak =
        config.learningRate() > 0
            ? config.learningRate()
            : Automatic.learningRate(model, config.optimizer());
    double floor =
        config.minLearningRate() >= 0
            ? config.minLearningRate()
            : peak * floorPart(config.schedule());
    long warmup = config.warmupSteps() >= 0 ? config.warmupSteps() : Math.min(100, steps / 20);
    if (warmup > steps) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "warmupSteps (%,d) must not exceed steps (%,d); train longer, or warm up for less",
              warmup,
              steps));
    }
    return switch (config.schedule()) {
      case COSINE -> new LearningRateSchedule.Cosine(peak, floor, warmup, steps);
      case WARMUP_STABLE_DECAY ->
          new LearningRateSchedule.WarmupStableDecay(
              peak, floor, warmup, Math.min(steps - warmup, steps / 2), steps);
    };
  }

  private static double floorPart(ScheduleKind schedule) {
    return switch (schedule) {
      case COSINE -> 0.1;
      case WARMUP_STABLE_DECAY -> 0.01;
    };
  }

  /**
   * The plan of a configuration that has to go on after this one: what is automatic in it, and
   * precision, stay as they were decided.
   *
   * @param now the kernels that compute from now on
   * @throws IllegalStateException if the precision is not possible with them
   */
  public TrainingPlan goOn(TrainingConfig config, KernelBackend now) {
    TransformerConfig shape =
        config.model() == null ? model : config.model().withVocabularySize(model.vocabularySize());
    if (config.dropout() > 0) {
      shape = shape.withDropout(config.dropout());
    }
    boolean automaticRate = config.learningRate() == TrainingConfig.AUTO;
    boolean automaticFloor = automaticRate && config.minLearningRate() < 0;
    TrainingConfig decided =
        config
            .withBatchSize(config.batchSize() > 0 ? config.batchSize() : batchSize)
            .withShards(config.shards() > 0 ? config.shards() : shards)
            .withMinLearningRate(automaticFloor ? schedule.floor() : config.minLearningRate())
            .withLearningRate(automaticRate ? schedule.peak() : config.learningRate())
            .withWarmupSteps(config.warmupSteps() >= 0 ? config.warmupSteps() : schedule.warmup())
            .withAveragedSteps(config.averagedSteps() >= 0 ? config.averagedSteps() : averagedSteps)
            .withEvaluationInterval(
                config.evaluationInterval() > 0 ? config.evaluationInterval() : evaluationInterval)
            .withEvaluationTokens(
                config.evaluationTokens() > 0 ? config.evaluationTokens() : evaluationTokens)
            .withPrecision(config.precision() == Precision.AUTO ? precision : config.precision())
            .withPreference(config.preference() == null ? preference : config.preference());
    return of(decided, shape, config.steps() > 0 ? config.steps() : steps, now);
  }

  /**
   * The same plan with other kernels.
   *
   * @throws IllegalStateException if the precision is not possible with them
   */
  public TrainingPlan goOn(KernelBackend now) {
    return with(steps, now, precision.resolve(now, model.channels()));
  }

  /**
   * The same plan for another number of steps; of its schedule only the end moves.
   *
   * @throws IllegalArgumentException if the warm-up is longer than that
   */
  public TrainingPlan withSteps(long value) {
    return value == steps ? this : with(value, kernels, precision);
  }

  private TrainingPlan with(long allSteps, KernelBackend now, Precision products) {
    return new TrainingPlan(
        model,
        batchSize,
        accumulation,
        shards,
        allSteps,
        allSteps == steps ? schedule : schedule.withSteps(allSteps),
        optimizer,
        gradientClip,
        guard,
        Math.min(averagedSteps, allSteps),
        evaluationInterval,
        evaluationTokens,
        patience,
        timeLimit,
        tokenLimit,
        seed,
        now,
        products,
        preference);
  }

  /** What is another setting in another plan: name, value here, value there. */
  public List<String> changes(TrainingPlan other) {
    Map<String, String> theirs = other.settings();
    List<String> changes = new ArrayList<>();
    settings()
        .forEach(
            (name, value) -> {
              String changed = theirs.get(name);
              if (!value.equals(changed)) {
                changes.add(name + " was " + value + ", is " + changed);
              }
            });
    return changes;
  }

  /** Every setting by name, for people and files. */
  public Map<String, String> describe() {
    Map<String, String> settings = settings();
    settings.put("instructionSet", kernels.instructionSet());
    return settings;
  }

  private Map<String, String> settings() {
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put("model", model.toString());
    settings.put("parameters", Long.toString(model.parameterCount()));
    settings.put("batchSize", Integer.toString(batchSize));
    settings.put("accumulation", Integer.toString(accumulation));
    settings.put("shards", Integer.toString(shards));
    settings.put("steps", Long.toString(steps));
    settings.put("schedule", schedule.toString());
    settings.put("optimizer", optimizer.toString());
    settings.put("gradientClip", Double.toString(gradientClip));
    settings.put("guard", guard.toString());
    settings.put("averagedSteps", Long.toString(averagedSteps));
    settings.put("evaluationInterval", Long.toString(evaluationInterval));
    settings.put("evaluationTokens", Long.toString(evaluationTokens));
    settings.put("patience", Integer.toString(patience));
    settings.put("timeLimit", timeLimit == null ? "none" : timeLimit.toString());
    settings.put("tokenLimit", tokenLimit == 0 ? "none" : Long.toString(tokenLimit));
    settings.put("seed", Long.toString(seed));
    settings.put("kernels", kernels.toString());
    settings.put("precision", precision.toString());
    if (preference != null) {
      settings.put("preference", preference.toString());
    }
    return settings;
  }

  /** Tokens that a step trains on. */
  public long tokensPerStep() {
    return (long) batchSize * accumulation * contexts() * model.contextLength();
  }

  /** Context lengths that a sequence takes: two where both answers of a pair lie in one. */
  int contexts() {
    return preference == null ? 1 : 2;
  }

  /** The first sequence of a shard in its micro-batch; that of shard {@code shards} is its end. */
  int shardStart(int shard) {
    return (int) ((long) shard * batchSize / shards);
  }

  /** The most sequences that a shard has. */
  int largestShard() {
    return (batchSize + shards - 1) / shards;
  }
}
