package dev.spatz.training;

import java.time.Duration;
import java.util.List;

/**
 * How far a training run has come: everything that it needs to go on as if it had never stopped,
 * but its arrays. Random choices depend on the seed and the number of the step alone.
 *
 * @param step steps done
 * @param averaged steps whose weights are in the sum that the last steps' mean is taken of
 * @param bestStep the step of the best weights so far
 * @param bestEvaluation of those weights
 * @param evaluationsWithoutImprovement since then
 * @param recentLosses training losses of the last steps, oldest first
 * @param recentFaults the faulty ones of the last steps, oldest first, see {@link StepGuard}
 * @param faultySteps all faulty steps
 * @param snapshot whether the arrays have a copy of weights and optimizer to roll back to
 * @param elapsed time since the start of the run, without the time between stop and resumption
 */
public record TrainingProgress(
    long step,
    long averaged,
    long bestStep,
    Evaluation bestEvaluation,
    int evaluationsWithoutImprovement,
    List<Double> recentLosses,
    List<Long> recentFaults,
    long faultySteps,
    boolean snapshot,
    Duration elapsed) {

  /** Copies the lists. */
  public TrainingProgress {
    recentLosses = List.copyOf(recentLosses);
    recentFaults = List.copyOf(recentFaults);
  }
}
