package dev.spatz.training;

import static dev.spatz.training.Requirements.atLeast;
import static dev.spatz.training.Requirements.positive;
import static dev.spatz.training.Requirements.require;

import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Where a training run keeps checkpoints, from which it can be resumed, and when. One is kept
 * before the first step, one when the run ends for whatever reason but its process being killed,
 * and between them whenever the steps or the time are over, whichever comes first.
 *
 * @param directory of the run, which has nothing else in it; made where it is absent
 * @param everySteps steps between two checkpoints; 0: by time only
 * @param every time between two checkpoints, which are written after the step under way; null: by
 *     steps only
 * @param keep so many of the newest stay on disk; older ones are removed once a new one is safe
 */
public record CheckpointConfig(
    Path directory, long everySteps, @Nullable Duration every, int keep) {
  private static final Duration EVERY = Duration.ofMinutes(5);
  private static final int KEEP = 3;

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if one is out of its range
   */
  public CheckpointConfig {
    atLeast(0, "everySteps", everySteps);
    require(every == null || positive(every), "every", every, "must be positive");
    atLeast(1, "keep", keep);
  }

  /** Every five minutes; the newest three stay. */
  public static CheckpointConfig of(Path directory) {
    return new CheckpointConfig(directory, 0, EVERY, KEEP);
  }

  /** These, also after so many steps; 0: by time only. */
  public CheckpointConfig withEverySteps(long value) {
    return new CheckpointConfig(directory, value, every, keep);
  }

  /** These, after this time; null: by steps only. */
  public CheckpointConfig withEvery(@Nullable Duration value) {
    return new CheckpointConfig(directory, everySteps, value, keep);
  }

  /** These, with so many of the newest that stay. */
  public CheckpointConfig withKeep(int value) {
    return new CheckpointConfig(directory, everySteps, every, value);
  }

  /** Whether a checkpoint is due so many steps and so much time after the last one. */
  boolean due(long steps, Duration time) {
    return everySteps > 0 && steps >= everySteps || every != null && time.compareTo(every) >= 0;
  }
}
