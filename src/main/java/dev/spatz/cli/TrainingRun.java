package dev.spatz.cli;

import dev.spatz.LanguageModel;
import dev.spatz.LanguageModel.DivergedException;
import dev.spatz.dataset.Corpus;
import dev.spatz.training.StopReason;
import dev.spatz.training.TrainingConfig;
import dev.spatz.training.TrainingResult;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** Trains a model with its progress in view, and saves it, also when it is stopped early. */
final class TrainingRun {
  private final PrintWriter notes;

  /** {@code notes} is where the progress is written. */
  TrainingRun(PrintWriter notes) {
    this.notes = notes;
  }

  /**
   * Trains and saves.
   *
   * @return whether training came to its end; if it was stopped before, the JVM is ending
   * @throws IOException if the corpus cannot be read or the model cannot be saved
   */
  boolean trainAndSave(Corpus corpus, TrainingConfig config, Path out) throws IOException {
    requireFree(out);
    OptionalLong size = corpus.sizeInBytes(); // also finds out now whether all files are there
    note(
        String.format(
            Locale.ROOT,
            "learning a vocabulary from %s, and tokenizing it ...",
            size.isPresent() ? ProgressLine.format("%,d bytes", size.getAsLong()) : "the text"));
    try (ShutdownGuard guard = new ShutdownGuard(notes);
        ProgressListener progress = new ProgressListener(notes, Terminal.isThere())) {
      try (LanguageModel model =
          LanguageModel.train(corpus, config, progress, guard.cancellation())) {
        TrainingResult result = progress.result().orElseThrow();
        if (result.steps() == 0) {
          note("stopped before the first step: nothing is saved");
        } else {
          save(model, out);
        }
        return result.reason() != StopReason.CANCELLED;
      } catch (DivergedException e) {
        try (LanguageModel lastGood = e.lastGood()) {
          save(lastGood, out);
        }
        throw e;
      }
    }
  }

  private void save(LanguageModel model, Path out) throws IOException {
    model.save(out);
    note("saved in " + out);
  }

  private void note(String line) {
    notes.println(line);
    notes.flush();
  }

  /** Saving refuses a directory of something else; better to hear of it before training. */
  private static void requireFree(Path out) throws IOException {
    if (!Files.exists(out)) {
      return;
    }
    if (!Files.isDirectory(out)) {
      throw new NotDirectoryException(out + ": a model is saved as a directory");
    }
    try (Stream<Path> entries = Files.list(out)) {
      if (entries.findAny().isPresent() && !Files.exists(out.resolve("config.json"))) {
        throw new IOException(out + ": not empty, and no model; name a new directory");
      }
    }
  }
}
