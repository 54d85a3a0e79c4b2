package dev.spatz.training;

import dev.spatz.dataset.DatasetOptions.Validation;
import dev.spatz.kernel.Precision;
import dev.spatz.optimizer.OptimizerConfig;
import dev.spatz.transformer.TransformerConfig;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A mutable copy of a {@link TrainingConfig}, for its {@code with…} methods. */
final class TrainingConfigDraft {
  TokenizerKind tokenizer;
  int vocabularySize;
  @Nullable TransformerConfig model;
  double dropout;
  int batchSize;
  int accumulation;
  int shards;
  long steps;
  Duration timeBudget;
  @Nullable Duration timeLimit;
  long tokenLimit;
  ScheduleKind schedule;
  double learningRate;
  double minLearningRate;
  long warmupSteps;
  OptimizerConfig optimizer;
  double gradientClip;
  StepGuard guard;
  long averagedSteps;
  Validation validation;
  long evaluationInterval;
  long evaluationTokens;
  int patience;
  long seed;
  int threads;
  Precision precision;
  @Nullable PreferenceConfig preference;
  @Nullable CheckpointConfig checkpoints;

  TrainingConfigDraft(TrainingConfig config) {
    tokenizer = config.tokenizer();
    vocabularySize = config.vocabularySize();
    model = config.model();
    dropout = config.dropout();
    batchSize = config.batchSize();
    accumulation = config.accumulation();
    shards = config.shards();
    steps = config.steps();
    timeBudget = config.timeBudget();
    timeLimit = config.timeLimit();
    tokenLimit = config.tokenLimit();
    schedule = config.schedule();
    learningRate = config.learningRate();
    minLearningRate = config.minLearningRate();
    warmupSteps = config.warmupSteps();
    optimizer = config.optimizer();
    gradientClip = config.gradientClip();
    guard = config.guard();
    averagedSteps = config.averagedSteps();
    validation = config.validation();
    evaluationInterval = config.evaluationInterval();
    evaluationTokens = config.evaluationTokens();
    patience = config.patience();
    seed = config.seed();
    threads = config.threads();
    precision = config.precision();
    preference = config.preference();
    checkpoints = config.checkpoints();
  }

  TrainingConfig config() {
    return new TrainingConfig(
        tokenizer,
        vocabularySize,
        model,
        dropout,
        batchSize,
        accumulation,
        shards,
        steps,
        timeBudget,
        timeLimit,
        tokenLimit,
        schedule,
        learningRate,
        minLearningRate,
        warmupSteps,
        optimizer,
        gradientClip,
        guard,
        averagedSteps,
        validation,
        evaluationInterval,
        evaluationTokens,
        patience,
        seed,
        threads,
        precision,
        preference,
        checkpoints);
  }
}
