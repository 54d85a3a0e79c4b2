package dev.spatz.training;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.function.Supplier;

/** Has the state of a run kept when it is time to. */
final class Checkpoints {
  private final CheckpointConfig config;
  private final TrainingState.Keeper keeper;
  private long lastStep;
  private long lastTime = System.nanoTime();

  /** {@code lastStep}: the step whose state is kept already; −1 for none. */
  Checkpoints(CheckpointConfig config, TrainingState.Keeper keeper, long lastStep) {
    this.config = config;
    this.keeper = keeper;
    this.lastStep = lastStep;
  }

  /** Keeps the state after a step if it is due. */
  void keepIfDue(long step, Supplier<TrainingState> state) {
    if (config.due(step - lastStep, Duration.ofNanos(System.nanoTime() - lastTime))) {
      keep(step, state);
    }
  }

  /** Keeps the state after a step, unless it is kept already. */
  void keep(long step, Supplier<TrainingState> state) {
    if (step == lastStep) {
      return;
    }
    try {
      keeper.keep(state.get());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    lastStep = step;
    lastTime = System.nanoTime();
  }
}
