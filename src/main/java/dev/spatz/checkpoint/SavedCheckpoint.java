package dev.spatz.checkpoint;

import dev.spatz.training.Trainer;
import dev.spatz.training.TrainingProgress;
import dev.spatz.transformer.LoraAdapter;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A checkpoint on disk whose files are all as they were written.
 *
 * @param path its directory, which is also that of a model or an adapter
 * @param settings of the run
 * @param progress of the run at this checkpoint
 */
public record SavedCheckpoint(Path path, RunSettings settings, TrainingProgress progress) {

  /**
   * Loads the model; the caller closes it.
   *
   * @throws IllegalArgumentException if the run trains an adapter
   */
  public LoadedModel load() throws IOException {
    if (AdapterDirectory.isOne(path)) {
      throw new IllegalArgumentException(
          path + ": the run trains an adapter; resume it with its model (finetune --lora)");
    }
    return ModelDirectory.load(path);
  }

  /**
   * Loads the adapter.
   *
   * @param model shape of the model that it is for
   * @throws IllegalArgumentException if the run trains a model
   */
  public LoraAdapter loadAdapter(TransformerConfig model) throws IOException {
    if (!AdapterDirectory.isOne(path)) {
      throw new IllegalArgumentException(
          path + ": the run trains a model, not an adapter; resume it without lora");
    }
    return AdapterDirectory.load(path, model);
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
