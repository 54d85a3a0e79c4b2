package dev.spatz.training;

import dev.spatz.dataset.TrainingData;
import dev.spatz.kernel.InsufficientMemoryException;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.transformer.ParameterSet;
import dev.spatz.transformer.Transformer;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
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
  private static final int REPORTED_STEPS = 20;

  private static final Logger LOG = LoggerFactory.getLogger(Trainer.class);

  private final TrainerParts parts;
  private final Transformer transformer;
  private final TrainingPlan plan;
  private final TrainingStep trainingStep;
  private final ParameterSet best;
  private final ParameterSet sum;
  private final StepWatch watch;
  private @Nullable Checkpoints checkpoints;
  private long step;
  private long averaged;
  private long bestStep;
  private @Nullable Evaluation bestEvaluation;
  private int evaluationsWithoutImprovement;
  private Duration earlier = Duration.ZERO;
  private long start = System.nanoTime();

  private Trainer(TrainerParts parts) {
    this.parts = parts;
    this.transformer = parts.transformer();
    this.plan = parts.plan();
    this.trainingStep = new TrainingStep(transformer, parts.objective(), parts.team(), plan);
    this.best = ParameterSet.zeros(transformer.trained().layout(), transformer.dataType());
    best.copyFrom(transformer.trained());
    this.sum = ParameterSet.zeros(transformer.trained().layout(), transformer.dataType());
    Map<String, INDArray> changing = optimizerState();
    changing.put("weights", transformer.trained().flat());
    this.watch = new StepWatch(plan.guard(), changing);
  }

  /**
   * A trainer of a model on a data set. Where the number of steps is automatic, some steps are
   * timed first, without changing the weights.
   *
   * @return a trainer that the caller closes
   * @throws IllegalArgumentException if the data set is too small for one window of the context
   *     length, or its vocabulary is not the model's
   * @throws IllegalStateException if the configuration's precision is not possible here
   * @throws InsufficientMemoryException if there is not enough memory off the heap
   */
  public static Trainer create(
      Transformer transformer, TrainingData data, TrainingConfig config, KernelBackend kernels) {
    return of(TrainerParts.of(transformer, data, config, kernels));
  }

  /**
   * A trainer for a plan that is decided already.
   *
   * @param threads worker threads; {@link TrainingConfig#AUTO}: the processors the JVM sees
   * @return a trainer that the caller closes
   * @throws IllegalArgumentException as {@link #create(Transformer, TrainingData, TrainingConfig,
   *     KernelBackend)}
   */
  public static Trainer create(
      Transformer transformer, TrainingData data, TrainingPlan plan, int threads) {
    return of(TrainerParts.of(transformer, data, plan, threads));
  }

  private static Trainer of(TrainerParts parts) {
    try {
      return new Trainer(parts);
    } catch (RuntimeException | Error e) {
      parts.close();
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

  /** From now on has the state kept as often as the configuration says. */
  public void keepStates(CheckpointConfig config, TrainingState.Keeper keeper) {
    checkpoints = new Checkpoints(config, keeper, bestEvaluation == null ? -1 : step);
  }

  /**
   * The state after the last step; its arrays are this trainer's own.
   *
   * @throws IllegalStateException if it has not begun
   */
  public TrainingState state() {
    TrainingProgress progress =
        new TrainingProgress(
            step,
            averaged,
            bestStep,
            bestEvaluation(),
            evaluationsWithoutImprovement,
            watch.losses(),
            watch.faults(),
            watch.count(),
            watch.hasSnapshot(),
            elapsed());
    return new TrainingState(progress, arrays());
  }

  private Map<String, INDArray> arrays() {
    Map<String, INDArray> arrays = new LinkedHashMap<>();
    arrays.put("best", best.flat());
    if (averaged > 0) {
      arrays.put("sum", sum.flat());
    }
    arrays.putAll(optimizerState());
    arrays.putAll(watch.arrays());
    arrays.putAll(parts.objective().state());
    return arrays;
  }

  private Map<String, INDArray> optimizerState() {
    Map<String, INDArray> arrays = new LinkedHashMap<>();
    trainingStep.optimizerState().forEach((name, array) -> arrays.put("optimizer." + name, array));
    return arrays;
  }

  /**
   * Takes over a state that was kept, before {@link #run}: the run then goes on as if it had never
   * stopped. The model has the weights of that state already.
   *
   * @param kept by a trainer of the same model and optimizer
   * @param source of the arrays that were kept with it
   * @throws IOException if the source throws it; the trainer is then of no use
   */
  public void restore(TrainingProgress kept, TrainingState.Source source) throws IOException {
    step = kept.step();
    averaged = kept.averaged();
    bestStep = kept.bestStep();
    bestEvaluation = kept.bestEvaluation();
    evaluationsWithoutImprovement = kept.evaluationsWithoutImprovement();
    earlier = kept.elapsed();
    for (Map.Entry<String, INDArray> array : arrays().entrySet()) {
      if (kept.snapshot() || !array.getKey().startsWith(StepWatch.SNAPSHOT)) {
        source.read(array.getKey(), array.getValue());
      }
    }
    watch.restore(kept);
    if (step <= plan.steps() - plan.averagedSteps()) { // more steps than were planned before
      averaged = 0;
      sum.zero();
    }
    trainingStep.refresh();
  }

  /**
   * Trains until the plan is done or there is another reason to stop.
   *
   * @throws TrainingDivergedException if a step is faulty, and the plan's {@link StepGuard} says
   *     that this ends the run; the model then has the best weights of the evaluations so far
   * @throws java.io.UncheckedIOException if the state could not be kept
   */
  public TrainingResult run(TrainingListener listener, Cancellation cancellation) {
    start = System.nanoTime();
    listener.started(plan);
    listener.memory(TrainingMemory.of(plan, transformer, parts.team().size()));
    if (bestEvaluation == null) {
      parts.objective().begin(plan.largestShard(), parts.team());
      evaluate(listener);
    } else {
      listener.resumed(step);
    }
    keepState();
    StopReason reason;
    while ((reason = reasonToStop(cancellation)) == null) {
      doStep(listener);
      if (step % plan.evaluationInterval() == 0 || step == plan.steps()) {
        evaluate(listener);
      }
      if (checkpoints != null) {
        checkpoints.keepIfDue(step, this::state);
      }
    }
    keepState(); // before what a run that goes on does not do
    if (step % plan.evaluationInterval() != 0 && step != plan.steps()) {
      evaluate(listener);
    }
    if (step == plan.steps() && averaged > 1) {
      sum.scale(1.0 / averaged);
      transformer.trained().copyFrom(sum);
      trainingStep.refresh();
      evaluate(listener);
    }
    transformer.trained().copyFrom(best);
    trainingStep.refresh();
    Evaluation evaluation =
        reason == StopReason.CANCELLED ? bestEvaluation() : evaluate(Long.MAX_VALUE);
    TrainingResult result =
        new TrainingResult(
            reason,
            step,
            step * plan.tokensPerStep(),
            watch.meanOfLast(REPORTED_STEPS),
            bestStep,
            evaluation,
            watch.count(),
            elapsed());
    listener.finished(result);
    return result;
  }

  /** Has the state kept now, if {@link #keepStates} said where and it is not kept already. */
  private void keepState() {
    if (checkpoints != null) {
      checkpoints.keep(step, this::state);
    }
  }

  private @Nullable StopReason reasonToStop(Cancellation cancellation) {
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
    return limit != null && elapsed().compareTo(limit) >= 0 ? StopReason.TIME : null;
  }

  private void doStep(TrainingListener listener) {
    long stepStart = System.nanoTime();
    double learningRate = plan.schedule().at(step);
    TrainingStep.Outcome outcome =
        trainingStep.run(step, learningRate, each -> watch.isTrusted(step + 1, each));
    boolean trusted = watch.isTrusted(step + 1, outcome);
    if (!trusted) {
      bear(outcome, listener);
    }
    step++;
    if (step > plan.steps() - plan.averagedSteps()) {
      trainingStep.addWeights(sum);
      averaged++;
    }
    if (!trusted) {
      return;
    }
    watch.done(step, outcome.loss());
    listener.stepDone(
        new StepReport(
            step,
            plan.steps(),
            outcome.loss(),
            learningRate,
            outcome.gradientNorm(),
            step * plan.tokensPerStep(),
            plan.tokensPerStep() * 1e9 / (System.nanoTime() - stepStart),
            elapsed()));
  }

  /** Does with a faulty step, whose weights were not changed, what the plan's guard says. */
  private void bear(TrainingStep.Outcome outcome, TrainingListener listener) {
    String quantity = outcome.finite() ? "loss" : trainingStep.notFinite(outcome);
    FaultyStep fault = watch.bear(step + 1, outcome, quantity);
    LOG.warn("{}; {}", fault.describe(), fault.consequence());
    listener.stepFaulty(fault);
    if (fault.action() == StepGuard.Action.STOP) {
      keepState();
      transformer.trained().copyFrom(best);
      throw new TrainingDivergedException(fault, plan.precision());
    }
    if (fault.action() == StepGuard.Action.ROLL_BACK) {
      trainingStep.refresh();
    }
  }

  private void evaluate(TrainingListener listener) {
    Evaluation evaluation = evaluate(plan.evaluationTokens());
    boolean improved = bestEvaluation == null || evaluation.loss() < bestEvaluation.loss();
    if (improved) {
      bestEvaluation = evaluation;
      bestStep = step;
      best.copyFrom(transformer.trained());
      evaluationsWithoutImprovement = 0;
    } else {
      evaluationsWithoutImprovement++;
    }
    listener.evaluated(step, evaluation, improved);
  }

  private Evaluation evaluate(long tokens) {
    return parts.objective().evaluate(tokens, plan.largestShard(), parts.team());
  }

  private Evaluation bestEvaluation() {
    if (bestEvaluation == null) {
      throw new IllegalStateException("nothing was evaluated yet");
    }
    return bestEvaluation;
  }

  private Duration elapsed() {
    return earlier.plusNanos(System.nanoTime() - start);
  }

  /** Ends the worker threads and frees all memory but the model's. */
  @Override
  public void close() {
    parts.close();
    trainingStep.close();
    best.close();
    sum.close();
    watch.close();
  }
}
