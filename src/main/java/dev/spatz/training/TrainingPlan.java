package dev.spatz.training;

import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Precision;
import dev.spatz.optimizer.LearningRateSchedule;
import dev.spatz.optimizer.OptimizerConfig;
import dev.spatz.transformer.TransformerConfig;
import java.time.Duration;
import java.util.LinkedHashMap;
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
 * @param averagedSteps the last steps whose mean of weights may be the result, 0 for none
 * @param evaluationInterval steps between evaluations
 * @param evaluationTokens tokens of an evaluation during training
 * @param patience evaluations without improvement before stopping early, 0 for never
 * @param timeLimit stops early after this time, or null
 * @param tokenLimit stops early after so many tokens, or {@link TrainingConfig#AUTO}
 * @param seed of weights, data order and dropout
 * @param kernels which kernels compute
 * @param precision of the matrix products, never automatic
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
    long averagedSteps,
    long evaluationInterval,
    long evaluationTokens,
    int patience,
    @Nullable Duration timeLimit,
    long tokenLimit,
    long seed,
    KernelBackend kernels,
    Precision precision) {

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
        config.precision().resolve(kernels, model.channels()));
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

  /** Every setting by name, for people and files. */
  public Map<String, String> describe() {
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
    settings.put("averagedSteps", Long.toString(averagedSteps));
    settings.put("evaluationInterval", Long.toString(evaluationInterval));
    settings.put("evaluationTokens", Long.toString(evaluationTokens));
    settings.put("patience", Integer.toString(patience));
    settings.put("timeLimit", timeLimit == null ? "none" : timeLimit.toString());
    settings.put("tokenLimit", tokenLimit == 0 ? "none" : Long.toString(tokenLimit));
    settings.put("seed", Long.toString(seed));
    settings.put("kernels", kernels.toString());
    settings.put("precision", precision.toString());
    settings.put("instructionSet", kernels.instructionSet());
    return settings;
  }

  /** Tokens that a step trains on. */
  public long tokensPerStep() {
    return (long) batchSize * accumulation * model.contextLength();
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
