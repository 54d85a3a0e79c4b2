package dev.spatz.training;

import java.util.Locale;

/**
 * A training step that was not done as planned, see {@link StepGuard}.
 *
 * @param step its number, from 1
 * @param quantity what is at fault: the loss, or the first weights or gradients that are not finite
 * @param loss of the step, nats a token; perhaps not finite
 * @param gradientNorm of the step; perhaps not finite
 * @param typicalLoss median of the losses before, NaN where there are too few
 * @param action what was done
 */
public record FaultyStep(
    long step,
    String quantity,
    double loss,
    double gradientNorm,
    double typicalLoss,
    StepGuard.Action action) {

  /** Whether loss and gradient are finite, and the loss is a spike. */
  public boolean isSpike() {
    return Double.isFinite(loss) && Double.isFinite(gradientNorm);
  }

  /** What happened, in one sentence. */
  public String describe() {
    String what =
        isSpike()
            ? String.format(Locale.ROOT, "the loss is %.3f, where %.3f is usual", loss, typicalLoss)
            : String.format(
                Locale.ROOT,
                "the loss (%s) or the norm of the gradient (%s) is not finite; at fault: %s",
                loss,
                gradientNorm,
                quantity);
    return String.format(Locale.ROOT, "step %,d: %s", step, what);
  }

  /** What was done with the step. */
  String consequence() {
    return switch (action) {
      case SKIP -> "it is skipped";
      case ROLL_BACK -> "weights and optimizer are rolled back";
      case STOP -> "the run ends";
    };
  }
}
