package dev.spatz.training;

import dev.spatz.dataset.Dataset;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Precision;
import dev.spatz.transformer.ParameterSet;
import dev.spatz.transformer.Transformer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Trains a model: step after step, with evaluations in between, until a reason to stop. The best
 * weights on the validation part are what the model has afterwards.
 *
 * <p>A trainer is used by one thread, which does nothing but wait for the workers; only a {@link
 * Cancellation} may come from others. It changes the model's weights, but does not own the model.
 */
public final class Trainer implements AutoCloseable {
  /** How many steps the reported training loss is the mean of. */
  private static final int RECENT_STEPS = 20;

  private static final Logger LOG = LoggerFactory.getLogger(Trainer.class);

  private final Transformer transformer;
  private final boolean ownsTransformer;
  private final Dataset data;
  private final WorkerTeam team;
  private final TrainingPlan plan;
  private final TrainingStep trainingStep;
  private final ParameterSet best;
  private final ParameterSet sum;
  private final Deque<Double> recentLosses = new ArrayDeque<>();
  private long step;
  private long bestStep;
  private @Nullable Evaluation bestEvaluation;
  private int evaluationsWithoutImprovement;

  private Trainer(
      Transformer transformer,
      boolean ownsTransformer,
      Dataset data,
      WorkerTeam team,
      TrainingPlan plan) {
    this.transformer = transformer;
    this.ownsTransformer = ownsTransformer;
    this.data = data;
    this.team = team;
    this.plan = plan;
    this.trainingStep =
        new TrainingStep(
            transformer, data.train().windows(plan.model().contextLength()), team, plan);
    this.best = ParameterSet.zeros(transformer.parameters().layout(), transformer.dataType());
    best.copyFrom(transformer.parameters());
    this.sum = ParameterSet.zeros(transformer.parameters().layout(), transformer.dataType());
    LOG.info(
        "memory off the heap: {} bytes of weights, {} of gradients for {} threads, {} of moments",
        transformer.parameters().bytes(),
        trainingStep.gradientBytes(),
        team.size(),
        trainingStep.momentBytes());
  }

  /**
   * A trainer of a model on a data set. Where the number of steps is automatic, some steps are
   * timed first, without changing the weights.
   *
   * @return a trainer that the caller closes
   * @throws IllegalArgumentException if the data set is too small for one window of the context
   *     length, or its vocabulary is not the model's
   * @throws IllegalStateException if the configuration's precision is not possible here
   */
  public static Trainer create(
      Transformer transformer, Dataset data, TrainingConfig config, KernelBackend kernels) {
    data.requireWindows(transformer.config().contextLength());
    if (data.vocabularySize() > transformer.config().vocabularySize()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "the data set's vocabulary of %,d ids exceeds the model's vocabularySize (%,d)",
              data.vocabularySize(),
              transformer.config().vocabularySize()));
    }
    int threads =
        config.threads() > 0 ? config.threads() : Runtime.getRuntime().availableProcessors();
    boolean mixed =
        config.precision().resolve(kernels, transformer.config().channels()) == Precision.BF16;
    Transformer passes = mixed ? transformer.mixed() : transformer;
    WorkerTeam team = new WorkerTeam(threads, passes, kernels);
    try {
      long steps =
          config.steps() > 0
              ? config.steps()
              : StepBudget.steps(passes, data, team, config, kernels);
      TrainingPlan plan = TrainingPlan.of(config, transformer.config(), steps, kernels);
      return new Trainer(passes, mixed, data, team, plan);
    } catch (RuntimeException | Error e) {
      team.close();
      if (mixed) {
        passes.close();
      }
      throw e;
    }
  }

  /** The decided plan. */
  public TrainingPlan plan() {
    return plan;
  }

  /** The number of steps done. */
  public long step() {
    return step;
  }

  /**
   * Trains until the plan is done or there is another reason to stop.
   *
   * @throws TrainingDivergedException if a loss or gradient is not finite; the model then has the
   *     best weights of the evaluations so far
   */
  public TrainingResult run(TrainingListener listener, Cancellation cancellation) {
    long start = System.nanoTime();
    listener.started(plan);
    evaluate(listener);
    StopReason reason;
    while ((reason = reasonToStop(start, cancellation)) == null) {
      doStep(start, listener);
      if (step % plan.evaluationInterval() == 0 || step == plan.steps()) {
        evaluate(listener);
      }
    }
    if (step % plan.evaluationInterval() != 0 && step != plan.steps()) {
      evaluate(listener);
    }
    if (step == plan.steps() && plan.averagedSteps() > 1) {
      sum.scale(1.0 / plan.averagedSteps());
      transformer.parameters().copyFrom(sum);
      trainingStep.refresh();
      evaluate(listener);
    }
    transformer.parameters().copyFrom(best);
    trainingStep.refresh();
    Evaluation evaluation =
        reason == StopReason.CANCELLED ? bestEvaluation() : evaluate(Long.MAX_VALUE);
    TrainingResult result =
        new TrainingResult(
            reason,
            step,
            step * plan.tokensPerStep(),
            recentLosses.stream().mapToDouble(Double::doubleValue).average().orElse(Double.NaN),
            bestStep,
            evaluation,
            since(start));
    listener.finished(result);
    return result;
  }

  private @Nullable StopReason reasonToStop(long start, Cancellation cancellation) {
    if (step >= plan.steps()) {
      return StopReason.STEPS;
    }
    if (cancellation.isCancelled() || Thread.currentThread().isInterrupted()) {
      return StopReason.CANCELLED;
    }
    if (plan.patience() > 0 && evaluationsWithoutImprovement >= plan.patience()) {
      return StopReason.PATIENCE;
    }
    if (plan.tokenLimit() > 0 && step * plan.tokensPerStep() >= plan.tokenLimit()) {
      return StopReason.TOKENS;
    }
    Duration limit = plan.timeLimit();
    return limit != null && since(start).compareTo(limit) >= 0 ? StopReason.TIME : null;
  }

  private void doStep(long start, TrainingListener listener) {
    long stepStart = System.nanoTime();
    double learningRate = plan.schedule().at(step);
    TrainingStep.Outcome outcome = trainingStep.run(step, learningRate);
    if (!outcome.finite()) {
      transformer.parameters().copyFrom(best);
      throw new TrainingDivergedException(step + 1, outcome.loss(), outcome.gradientNorm());
    }
    step++;
    if (step > plan.steps() - plan.averagedSteps()) {
      trainingStep.addWeights(sum);
    }
    recentLosses.addLast(outcome.loss());
    if (recentLosses.size() > RECENT_STEPS) {
      recentLosses.removeFirst();
    }
    listener.stepDone(
        new StepReport(
            step,
            plan.steps(),
            outcome.loss(),
            learningRate,
            outcome.gradientNorm(),
            step * plan.tokensPerStep(),
            plan.tokensPerStep() * 1e9 / (System.nanoTime() - stepStart),
            since(start)));
  }

  private void evaluate(TrainingListener listener) {
    Evaluation evaluation = evaluate(plan.evaluationTokens());
    boolean improved =
        bestEvaluation == null || evaluation.natsPerToken() < bestEvaluation.natsPerToken();
    if (improved) {
      bestEvaluation = evaluation;
      bestStep = step;
      best.copyFrom(transformer.parameters());
      evaluationsWithoutImprovement = 0;
    } else {
      evaluationsWithoutImprovement++;
    }
    listener.evaluated(step, evaluation, improved);
  }

  private Evaluation evaluate(long tokens) {
    return Evaluator.evaluate(transformer, data.validation(), tokens, plan.largestShard(), team);
  }

  private Evaluation bestEvaluation() {
    if (bestEvaluation == null) {
      throw new IllegalStateException("nothing was evaluated yet");
    }
    return bestEvaluation;
  }

  private static Duration since(long start) {
    return Duration.ofNanos(System.nanoTime() - start);
  }

  /** Ends the worker threads and frees all memory but the model's. */
  @Override
  public void close() {
    team.close();
    trainingStep.close();
    best.close();
    sum.close();
    if (ownsTransformer) {
      transformer.close();
    }
  }
}
