package dev.spatz.training;

import java.time.Duration;

/**
 * One training step that is done.
 *
 * @param step its number, from 1
 * @param steps steps of the whole plan
 * @param loss mean training loss of the step in nats a token
 * @param learningRate its learning rate
 * @param gradientNorm norm of its gradient before clipping
 * @param tokens tokens trained on since the start of the run
 * @param tokensPerSecond of this step
 * @param elapsed time since the start of the run
 */
public record StepReport(
    long step,
    long steps,
    double loss,
    double learningRate,
    double gradientNorm,
    long tokens,
    double tokensPerSecond,
    Duration elapsed) {}
