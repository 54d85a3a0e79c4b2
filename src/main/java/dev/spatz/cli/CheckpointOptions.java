package dev.spatz.cli;

import dev.spatz.training.CheckpointConfig;
import dev.spatz.training.TrainingConfig;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where and when a training run keeps checkpoints. */
final class CheckpointOptions {
  private static final long MILLIS_PER_MINUTE = 60_000;

  @Option(
      names = "--checkpoints",
      required = true,
      paramLabel = "DIR",
      description = "Keep checkpoints in a directory of their own, for --resume.")
  private Path directory;

  @Option(
      names = "--checkpoint-every",
      paramLabel = "N",
      description = "Steps between checkpoints (default: by time only).")
  private @Nullable Long steps;

  @Option(
      names = "--checkpoint-minutes",
      paramLabel = "N",
      description = "Minutes between checkpoints (default: 5).")
  private @Nullable Double minutes;

  @Option(
      names = "--keep",
      paramLabel = "N",
      description = "So many of the newest checkpoints stay (default: 3).")
  private @Nullable Integer keep;

  Path directory() {
    return directory;
  }

  /** A configuration with what the options say. */
  TrainingConfig applyTo(TrainingConfig config) {
    CheckpointConfig checkpoints = CheckpointConfig.of(directory);
    if (steps != null) {
      checkpoints = checkpoints.withEverySteps(steps);
    }
    if (minutes != null) {
      checkpoints =
          checkpoints.withEvery(Duration.ofMillis(Math.round(minutes * MILLIS_PER_MINUTE)));
    }
    if (keep != null) {
      checkpoints = checkpoints.withKeep(keep);
    }
    return config.withCheckpoints(checkpoints);
  }
}
