package dev.spatz.training;

import dev.spatz.dataset.TrainingData;
import dev.spatz.transformer.ParameterSet;
import dev.spatz.transformer.Transformer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** How many steps fit into a time, found by timing some that leave no trace. */
final class StepBudget {
  /** Steps of a plan whose number of steps is not yet known. */
  static final long MANY = 1_000_000;

  private static final int LEAST_STEPS = 3;
  private static final int MOST_STEPS = 50;
  private static final double NANOS = 1e9;

  /** Part of the budget that the timed steps take, and as much before them to warm up. */
  private static final double TIMING = 0.02;

  /** Part of the budget that the steps get on a slow machine; the evaluations then exceed it. */
  private static final double LEAST_TRAINING = 0.5;

  /** Evaluations of a run: one at the start, ten on the way. */
  private static final int EVALUATIONS = 11;

  private StepBudget() {}

  /**
   * The number of steps that fit into a time with their evaluations.
   *
   * @param plan for {@link #MANY} steps
   */
  static long steps(
      Transformer transformer,
      TrainingData data,
      Objective objective,
      WorkerTeam team,
      TrainingPlan plan,
      Duration time) {
    double budget = time.toSeconds() + time.getNano() / NANOS;
    double step = secondsPerStep(transformer, objective, team, plan, budget * TIMING);
    double token = step / plan.tokensPerStep() / 3; // a forward pass is a third of a step
    long validation = data.validationTokens();
    double evaluations =
        token * (EVALUATIONS * Math.min(validation, plan.evaluationTokens()) + validation);
    return steps(budget, evaluations, step);
  }

  /** The number of steps in a budget; all in seconds. */
  static long steps(double budget, double evaluations, double step) {
    double training = Math.max(budget - evaluations, budget * LEAST_TRAINING);
    return Math.max(1, (long) (training / step));
  }

  /** The median time of some steps with a learning rate of zero; the weights come out unchanged. */
  private static double secondsPerStep(
      Transformer transformer,
      Objective objective,
      WorkerTeam team,
      TrainingPlan plan,
      double most) {
    ParameterSet weights = transformer.trained();
    try (TrainingStep trainingStep = new TrainingStep(transformer, objective, team, plan);
        ParameterSet before = ParameterSet.zeros(weights.layout(), transformer.dataType())) {
      before.copyFrom(weights);
      times(trainingStep, most); // until the JIT compiler is done
      List<Double> seconds = times(trainingStep, most);
      weights.copyFrom(before);
      Collections.sort(seconds);
      return seconds.get(seconds.size() / 2);
    }
  }

  /** The seconds of steps that are done until there are enough. */
  private static List<Double> times(TrainingStep trainingStep, double most) {
    List<Double> seconds = new ArrayList<>();
    double total = 0;
    while (seconds.size() < LEAST_STEPS || total < most && seconds.size() < MOST_STEPS) {
      long start = System.nanoTime();
      trainingStep.run(seconds.size(), 0, TrainingStep.Outcome::finite);
      seconds.add((System.nanoTime() - start) / NANOS);
      total += seconds.get(seconds.size() - 1);
    }
    return seconds;
  }
}
