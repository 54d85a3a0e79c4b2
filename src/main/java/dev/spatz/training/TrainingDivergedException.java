package dev.spatz.training;

import java.util.Locale;

/**
 * The loss or the gradient of a step is not a finite number. The weights were not changed by that
 * step; the model holds the best weights of the evaluations before it.
 */
public final class TrainingDivergedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** The step, from 1. */
  private final long step;

  TrainingDivergedException(long step, double loss, double gradientNorm) {
    super(
        String.format(
            Locale.ROOT,
            "step %,d: the loss (%s) or the norm of the gradient (%s) is not finite; "
                + "lower the learningRate or the gradientClip, or lengthen the warm-up",
            step,
            loss,
            gradientNorm));
    this.step = step;
  }

  /** The step that could not be done, from 1. */
  public long step() {
    return step;
  }
}
