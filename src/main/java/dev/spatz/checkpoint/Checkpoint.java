package dev.spatz.checkpoint;

import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.training.TrainingState;
import dev.spatz.transformer.Transformer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a checkpoint is made of.
 *
 * @param transformer with the weights after the last step
 * @param tokenizer of the run
 * @param provenance of the model as it is now
 * @param conventions of the model's texts
 * @param settings of the run
 * @param state of its trainer
 */
public record Checkpoint(
    Transformer transformer,
    Tokenizer tokenizer,
    Provenance provenance,
    TextConventions conventions,
    RunSettings settings,
    TrainingState state)
    implements AtomicDirectory.Content {

  @Override
  public void requireReplaceable(Path existing) throws IOException {
    if (Files.exists(existing) && !Files.isDirectory(existing)) {
      throw new NotDirectoryException(existing + ": a checkpoint is a directory");
    }
  }

  @Override
  public void writeTo(Path directory) throws IOException {
    new ModelDirectory.Model(transformer, tokenizer, provenance, conventions).writeTo(directory);
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
