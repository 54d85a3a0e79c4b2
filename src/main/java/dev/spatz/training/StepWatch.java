package dev.spatz.training;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.commons.math3.stat.descriptive.rank.Median;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Does what a run's {@link StepGuard} says: remembers the last losses and faulty steps, tells which
 * step is faulty, and goes back to an earlier state where that is asked for.
 */
final class StepWatch implements AutoCloseable {
  /** What the names of the snapshot's arrays begin with. */
  static final String SNAPSHOT = "snapshot.";

  /** Median absolute deviation → standard deviation, of a normal distribution. */
  private static final double NORMAL = 1.4826;

  /** A spike is higher than usual by so many nats, however even the losses were. */
  private static final double LEAST_HEIGHT = 1;

  private final StepGuard guard;
  private final Deque<Double> losses = new ArrayDeque<>();
  private final Deque<Long> faulty = new ArrayDeque<>();
  private final @Nullable Snapshot snapshot;
  private long count;

  /** {@code changing}: the arrays that a step changes. */
  StepWatch(StepGuard guard, Map<String, INDArray> changing) {
    this.guard = guard;
    this.snapshot = guard.action() == StepGuard.Action.ROLL_BACK ? new Snapshot(changing) : null;
  }

  /** What is to be kept beside the numbers, to go on after them. */
  Map<String, INDArray> arrays() {
    Map<String, INDArray> arrays = new LinkedHashMap<>();
    if (snapshot != null) {
      snapshot.arrays().forEach((name, array) -> arrays.put(SNAPSHOT + name, array));
    }
    return arrays;
  }

  boolean hasSnapshot() {
    return snapshot != null;
  }

  /** Takes over what was kept; the arrays have been read already, if there were any. */
  void restore(TrainingProgress kept) {
    if (snapshot != null && !kept.snapshot()) {
      snapshot.take();
    }
    losses.clear();
    losses.addAll(kept.recentLosses());
    faulty.clear();
    faulty.addAll(kept.recentFaults());
    count = kept.faultySteps();
  }

  /** The last losses, oldest first. */
  List<Double> losses() {
    return List.copyOf(losses);
  }

  /** Mean of the last so many losses; NaN if there is none. */
  double meanOfLast(int many) {
    return losses.stream()
        .skip(Math.max(0, losses.size() - many))
        .mapToDouble(Double::doubleValue)
        .average()
        .orElse(Double.NaN);
  }

  /** The faulty ones of the last steps, oldest first. */
  List<Long> faults() {
    return List.copyOf(faulty);
  }

  /** All faulty steps so far. */
  long count() {
    return count;
  }

  /** Whether the weights may be changed by a step. */
  boolean isTrusted(long step, TrainingStep.Outcome outcome) {
    return outcome.finite() && !isSpike(step, outcome.loss());
  }

  /** A step was done. */
  void done(long step, double loss) {
    if (snapshot != null && step % guard.window() == 0) {
      snapshot.take();
    }
    losses.addLast(loss);
    if (losses.size() > guard.window()) {
      losses.removeFirst();
    }
  }

  /** Whether the loss of a step is one that is not to be trained on. */
  boolean isSpike(long step, double loss) {
    if (guard.threshold() == 0 || losses.size() < guard.leastWindow() || !bears(step)) {
      return false;
    }
    for (double earlier : losses) {
      if (loss <= earlier) {
        return false;
      }
    }
    double median = median();
    Median medians = new Median();
    double[] deviations = losses.stream().mapToDouble(l -> Math.abs(l - median)).toArray();
    double deviation = NORMAL * medians.evaluate(deviations);
    return loss - median > Math.max(guard.threshold() * deviation, LEAST_HEIGHT);
  }

  /** What is to be done with a faulty step, and was, if it is not the end. */
  FaultyStep bear(long step, TrainingStep.Outcome outcome, String quantity) {
    StepGuard.Action action = bears(step) ? guard.action() : StepGuard.Action.STOP;
    if (action != StepGuard.Action.STOP) {
      faulty.addLast(step);
      count++;
    }
    if (action == StepGuard.Action.ROLL_BACK && snapshot != null) {
      snapshot.putBack();
    }
    return new FaultyStep(step, quantity, outcome.loss(), outcome.gradientNorm(), median(), action);
  }

  /** Median of the last losses; NaN if they are too few to say what is usual. */
  private double median() {
    return losses.size() < guard.leastWindow()
        ? Double.NaN
        : new Median().evaluate(losses.stream().mapToDouble(Double::doubleValue).toArray());
  }

  /** Whether a step may be faulty without ending the run. */
  private boolean bears(long step) {
    while (!faulty.isEmpty() && faulty.getFirst() <= step - guard.window()) {
      faulty.removeFirst();
    }
    return faulty.size() < guard.most();
  }

  @Override
  public void close() {
    if (snapshot != null) {
      snapshot.close();
    }
  }
}
