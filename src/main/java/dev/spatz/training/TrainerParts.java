package dev.spatz.training;

import dev.spatz.dataset.TrainingData;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Precision;
import dev.spatz.transformer.Transformer;
import java.util.Locale;

/**
 * What a trainer works with: made together and closed together.
 *
 * @param transformer as the passes go through it
 * @param copied whether it is a copy of the model, for these passes
 */
record TrainerParts(
    Transformer transformer,
    boolean copied,
    Objective objective,
    WorkerTeam team,
    TrainingPlan plan)
    implements AutoCloseable {

  /** For a configuration: where the number of steps is automatic, some are timed. */
  static TrainerParts of(
      Transformer transformer, TrainingData data, TrainingConfig config, KernelBackend kernels) {
    boolean decided = config.steps() > 0;
    long steps = decided ? config.steps() : StepBudget.MANY;
    TrainingPlan plan = TrainingPlan.of(config, transformer.config(), steps, kernels);
    TrainerParts parts = of(transformer, data, plan, config.threads());
    try {
      return decided ? parts : parts.timed(data, config);
    } catch (RuntimeException | Error e) {
      parts.close();
      throw e;
    }
  }

  private TrainerParts timed(TrainingData data, TrainingConfig config) {
    objective.begin(plan.largestShard(), team);
    long steps = StepBudget.steps(transformer, data, objective, team, plan, config.timeBudget());
    TrainingPlan decided = TrainingPlan.of(config, transformer.config(), steps, plan.kernels());
    return new TrainerParts(transformer, copied, objective, team, decided);
  }

  /** For a plan; {@code threads} may be {@link TrainingConfig#AUTO}. */
  static TrainerParts of(
      Transformer transformer, TrainingData data, TrainingPlan plan, int threads) {
    requireFitting(data, transformer);
    int size = threads > 0 ? threads : Runtime.getRuntime().availableProcessors();
    TrainingMemory.of(plan, transformer, size).require(plan, size);
    boolean mixed = plan.precision() == Precision.BF16;
    Transformer passes = mixed ? transformer.mixed(plan.kernels()) : transformer;
    try {
      Objective objective = Objective.of(passes, data, plan);
      WorkerTeam team = new WorkerTeam(size, passes, plan.kernels());
      return new TrainerParts(passes, mixed, objective, team, plan);
    } catch (RuntimeException | Error e) {
      if (mixed) {
        passes.close();
      }
      throw e;
    }
  }

  private static void requireFitting(TrainingData data, Transformer transformer) {
    data.requireWindows(transformer.config().contextLength());
    if (data.vocabularySize() > transformer.config().vocabularySize()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "the data set's vocabulary of %,d ids exceeds the model's vocabularySize (%,d)",
              data.vocabularySize(),
              transformer.config().vocabularySize()));
    }
  }

  /** Ends the worker threads and frees all memory but the model's. */
  @Override
  public void close() {
    team.close();
    objective.close();
    if (copied) {
      transformer.close();
    }
  }
}
