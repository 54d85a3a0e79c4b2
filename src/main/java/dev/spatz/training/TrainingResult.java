package dev.spatz.training;

import java.time.Duration;

/**
 * How a training run ended.
 *
 * @param reason why it ended
 * @param steps steps done
 * @param tokens tokens trained on
 * @param trainingLoss mean training loss of the last steps in nats a token (at most the last 20)
 * @param bestStep the step whose weights are the result
 * @param evaluation of these weights on the validation part: the whole part, or as much as an
 *     evaluation during training takes if the run was cancelled
 * @param faultySteps steps that were skipped or rolled back, see {@link StepGuard}
 * @param elapsed time from start to end
 */
public record TrainingResult(
    StopReason reason,
    long steps,
    long tokens,
    double trainingLoss,
    long bestStep,
    Evaluation evaluation,
    long faultySteps,
    Duration elapsed) {}
