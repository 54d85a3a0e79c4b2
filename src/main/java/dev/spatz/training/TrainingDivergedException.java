package dev.spatz.training;

import dev.spatz.kernel.Precision;

/**
 * A step is faulty and may not be passed over, see {@link StepGuard}. The weights were not changed
 * by that step; the model holds the best weights of the evaluations before it.
 */
public final class TrainingDivergedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** The step, from 1. */
  private final long step;

  TrainingDivergedException(FaultyStep fault, Precision precision) {
    super(
        fault.describe()
            + "; lower the learningRate or the gradientClip, or lengthen the warm-up"
            + (precision == Precision.BF16 ? ", or train with precision FLOAT32" : "")
            + (fault.isSpike() ? ", or have spikes skipped (guard)" : ""));
    this.step = fault.step();
  }

  /** The step that could not be done, from 1. */
  public long step() {
    return step;
  }
}
