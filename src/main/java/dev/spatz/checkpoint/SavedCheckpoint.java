package dev.spatz.checkpoint;

import dev.spatz.training.Trainer;
import dev.spatz.training.TrainingProgress;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A checkpoint on disk whose files are all as they were written.
 *
 * @param path its directory, which is also that of a model
 * @param settings of the run
 * @param progress of the run at this checkpoint
 */
public record SavedCheckpoint(Path path, RunSettings settings, TrainingProgress progress) {

  /** Loads the model; the caller closes it. */
  public LoadedModel load() throws IOException {
    return ModelDirectory.load(path);
  }

  /**
   * Gives a trainer of the loaded model the state of this checkpoint.
   *
   * @throws IOException if the state is not one of such a trainer
   */
  public void restore(Trainer trainer) throws IOException {
    OptimizerFile.read(path, source -> trainer.restore(progress, source));
  }
}
