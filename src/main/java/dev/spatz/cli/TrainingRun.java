package dev.spatz.cli;

import dev.spatz.LanguageModel;
import dev.spatz.LanguageModel.DivergedException;
import dev.spatz.dataset.Corpus;
import dev.spatz.training.Cancellation;
import dev.spatz.training.ResumeConfig;
import dev.spatz.training.StopReason;
import dev.spatz.training.TrainingConfig;
import dev.spatz.training.TrainingListener;
import dev.spatz.training.TrainingPlan;
import dev.spatz.training.TrainingResult;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.PrintWriter;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Trains a model with its progress in view, and saves it, also when it is stopped early. */
final class TrainingRun {
  private static final String NOTHING_SAVED = "stopped before the first step: nothing is saved";

  private final PrintWriter notes;

  /** How a corpus becomes a model. */
  interface Training {
    LanguageModel run(
        Corpus corpus, TrainingConfig config, TrainingListener listener, Cancellation cancellation)
        throws IOException;
  }

  /** How a model comes about. */
  private interface Work {
    LanguageModel run(TrainingListener listener, Cancellation cancellation) throws IOException;
  }

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
  boolean trainAndSave(Corpus corpus, TrainingConfig config, Training training, Path out)
      throws IOException {
    requireFree(out);
    OptionalLong size = corpus.sizeInBytes(); // also finds out now whether all files are there
    return save(
        String.format(
            Locale.ROOT,
            "tokenizing %s ...",
            size.isPresent() ? ProgressLine.format("%,d bytes", size.getAsLong()) : "the text"),
        (listener, cancellation) -> training.run(corpus, config, listener, cancellation),
        config.checkpoints() == null ? null : config.checkpoints().directory(),
        out);
  }

  /** Goes on with a run, and saves, as {@link #trainAndSave}. */
  boolean resumeAndSave(Path run, ResumeConfig config, Path out) throws IOException {
    requireFree(out);
    return save(
        "resuming " + run + " ...",
        (listener, cancellation) -> LanguageModel.resume(run, config, listener, cancellation),
        run,
        out);
  }

  private boolean save(String beginning, Work work, @Nullable Path run, Path out)
      throws IOException {
    try (ShutdownGuard guard = new ShutdownGuard(notes);
        ProgressListener progress = new ProgressListener(notes, Terminal.isThere())) {
      note(beginning);
      TrainingListener listener = begins(guard).and(progress);
      try (LanguageModel model = work.run(listener, guard.cancellation())) {
        TrainingResult result = progress.result().orElseThrow();
        if (result.steps() == 0) {
          note(NOTHING_SAVED);
        } else {
          save(model, out);
        }
        boolean ended = result.reason() != StopReason.CANCELLED;
        if (!ended && run != null) {
          note("train --resume " + run + " goes on");
        }
        return ended;
      } catch (InterruptedIOException | ClosedByInterruptException e) {
        note(NOTHING_SAVED);
        return false;
      } catch (DivergedException e) {
        try (LanguageModel lastGood = e.lastGood()) {
          save(lastGood, out);
        }
        throw e;
      }
    }
  }

  private static TrainingListener begins(ShutdownGuard guard) {
    return new TrainingListener() {
      @Override
      public void started(TrainingPlan plan) {
        guard.trainingBegins();
      }
    };
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
    if (Files.exists(out) && !Files.isDirectory(out)) {
      throw new NotDirectoryException(out + ": a model is saved as a directory");
    }
    if (Files.isDirectory(out) && !Files.exists(out.resolve("config.json"))) {
      try (Stream<Path> entries = Files.list(out)) {
        if (entries.findAny().isPresent()) {
          throw new IOException(out + ": not empty, and no model; name a new directory");
        }
      }
    }
    Path parent = out.toAbsolutePath().normalize().getParent();
    if (parent != null && !Files.isWritable(Files.createDirectories(parent))) {
      throw new AccessDeniedException(parent + ": access is denied, a model cannot be saved there");
    }
  }
}
