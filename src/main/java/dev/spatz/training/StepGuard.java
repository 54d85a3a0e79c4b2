package dev.spatz.training;

import static dev.spatz.training.Requirements.atLeast;
import static dev.spatz.training.Requirements.require;

/**
 * What a training does with a step that cannot be trusted: its loss or gradient is not finite, or
 * its loss is a spike. A spike is above all of the last losses, and above their median by more than
 * {@code threshold} of their standard deviations (estimated by the median absolute deviation, which
 * outliers do not move) and by more than one nat. A run without such a step is the same with any
 * guard.
 *
 * <p>Where more than {@code most} of the last {@code window} steps were faulty, they are no
 * exception any more: losses that are finite are then trained on, and one that is not ends the run.
 *
 * @param action what is done
 * @param window how many losses a loss is compared with, and how long faulty steps are remembered
 * @param threshold standard deviations above which a loss is a spike; 0: none is
 * @param most faulty steps that are borne within the window; 0: the first one that is not finite
 *     ends the run
 * @see <a href="https://arxiv.org/abs/2204.02311">PaLM, section 5.1: spikes, and skipping the
 *     batches around them</a>
 */
public record StepGuard(Action action, int window, double threshold, int most) {

  /** What is done with a faulty step. */
  public enum Action {
    /** The weights stay as they are, and the run goes on with the next batches. */
    SKIP,

    /**
     * Weights and optimizer become again what they were at most {@code window} steps ago, and the
     * run goes on with the next batches. The copy costs as much memory as both.
     */
    ROLL_BACK,

    /** The run ends with a {@link TrainingDivergedException}. */
    STOP
  }

  /** So many losses must be known before one can be a spike. */
  private static final int LEAST_WINDOW = 20;

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if one is out of its range
   */
  public StepGuard {
    atLeast(LEAST_WINDOW, "window", window);
    require(threshold >= 0, "threshold", threshold, "must be at least 0");
    atLeast(0, "most", most);
  }

  /** Skips at most 5 faulty steps of any 64; a spike is above 10 standard deviations. */
  public static StepGuard defaults() {
    return new StepGuard(Action.SKIP, 64, 10, 5);
  }

  /** This guard with another action. */
  public StepGuard withAction(Action value) {
    return new StepGuard(value, window, threshold, most);
  }

  /** This guard, comparing with so many losses. */
  public StepGuard withWindow(int value) {
    return new StepGuard(action, value, threshold, most);
  }

  /** This guard with another least height of a spike; 0: none is. */
  public StepGuard withThreshold(double value) {
    return new StepGuard(action, window, value, most);
  }

  /** This guard, bearing so many faulty steps within the window. */
  public StepGuard withMost(int value) {
    return new StepGuard(action, window, threshold, value);
  }

  /** How many losses must be known before one can be a spike. */
  int leastWindow() {
    return LEAST_WINDOW;
  }
}
