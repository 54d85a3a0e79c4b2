package dev.spatz.checkpoint;

import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.training.TrainingState;
import dev.spatz.transformer.LoraAdapter;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a checkpoint is made of.
 *
 * @param weights those after the last step, and what belongs to them
 * @param settings of the run
 * @param state of its trainer
 */
public record Checkpoint(Weights weights, RunSettings settings, TrainingState state)
    implements AtomicDirectory.Content {

  /** Writes the files of a model, or of an adapter. */
  interface Weights {
    void writeTo(Path directory) throws IOException;
  }

  /**
   * That of a model.
   *
   * @param provenance of the model as it is now
   * @param conventions of the model's texts
   */
  public static Checkpoint ofModel(
      Transformer transformer,
      Tokenizer tokenizer,
      Provenance provenance,
      TextConventions conventions,
      RunSettings settings,
      TrainingState state) {
    return new Checkpoint(
        new ModelDirectory.Model(transformer, tokenizer, provenance, conventions)::writeTo,
        settings,
        state);
  }

  /**
   * That of an adapter, beside it the shape of the model as it is trained; but not its weights,
   * which stay as they are.
   *
   * @param tokenizer of the model
   */
  public static Checkpoint ofAdapter(
      LoraAdapter adapter, Tokenizer tokenizer, RunSettings settings, TrainingState state) {
    TransformerConfig model = settings.plan().model();
    return new Checkpoint(
        directory -> {
          new AdapterDirectory.Content(adapter, model).writeTo(directory);
          ConfigFile.write(directory, model, tokenizer, null);
        },
        settings,
        state);
  }

  @Override
  public void requireReplaceable(Path existing) throws IOException {
    if (Files.exists(existing) && !Files.isDirectory(existing)) {
      throw new NotDirectoryException(existing + ": a checkpoint is a directory");
    }
  }

  @Override
  public void writeTo(Path directory) throws IOException {
    weights.writeTo(directory);
    OptimizerFile.write(directory, state.arrays());
    new TrainerStateFile(settings, state.progress()).write(directory);
    List<String> names;
    try (Stream<Path> files = Files.list(directory)) {
      names =
          files
              .map(file -> file.getFileName().toString())
              .filter(name -> !name.equals(AtomicDirectory.LOCK))
              .sorted()
              .toList();
    }
    Sha256Sums.write(directory, names);
  }
}
