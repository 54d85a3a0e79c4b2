package dev.spatz.cli;

import dev.spatz.LanguageModel;
import dev.spatz.LanguageModel.DivergedException;
import dev.spatz.dataset.Corpus;
import dev.spatz.training.Cancellation;
import dev.spatz.training.StopReason;
import dev.spatz.training.TrainingListener;
import dev.spatz.training.TrainingPlan;
import dev.spatz.training.TrainingResult;
import dev.spatz.transformer.LoraAdapter;
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
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Trains a model with its progress in view, and saves it, also when it is stopped early. */
final class TrainingRun {
  private static final String NOTHING_SAVED = "stopped before the first step: nothing is saved";

  private final PrintWriter notes;
  private final Path out;
  private final @Nullable String resumption;

  /** How a model comes about, or an adapter of one. */
  interface Training<T> {
    T run(TrainingListener listener, Cancellation cancellation) throws IOException;
  }

  /** How what is saved comes about. */
  private interface Work {
    Trained run(TrainingListener listener, Cancellation cancellation) throws IOException;
  }

  /** What is saved. */
  private interface Trained extends AutoCloseable {
    void saveInto(Path out) throws IOException;

    @Override
    void close();

    static Trained of(LanguageModel model) {
      return new Trained() {
        @Override
        public void saveInto(Path out) throws IOException {
          model.save(out);
        }

        @Override
        public void close() {
          model.close();
        }
      };
    }

    static Trained of(LoraAdapter adapter, LanguageModel base) {
      return new Trained() {
        @Override
        public void saveInto(Path out) throws IOException {
          base.saveAdapter(adapter, out);
        }

        @Override
        public void close() {}
      };
    }
  }

  /**
   * A run whose result is saved in a directory.
   *
   * @param notes where the progress is written
   * @param resumption the command that goes on where it is stopped; null: there is none
   */
  TrainingRun(PrintWriter notes, Path out, @Nullable String resumption) {
    this.notes = notes;
    this.out = out;
    this.resumption = resumption;
  }

  /**
   * Trains a model and saves it.
   *
   * @param beginning what is said first
   * @return whether training came to its end; if it was stopped before, the JVM is ending
   * @throws IOException if the corpus cannot be read or the model cannot be saved
   */
  boolean saveModel(String beginning, Training<LanguageModel> training) throws IOException {
    requireFree(out, "a model", "config.json");
    return save(
        beginning,
        (listener, cancellation) -> Trained.of(training.run(listener, cancellation)),
        failure -> Trained.of(failure.lastGood()));
  }

  /** Trains an adapter of a model and saves it, as {@link #saveModel}. */
  boolean saveAdapter(String beginning, LanguageModel base, Training<LoraAdapter> training)
      throws IOException {
    requireFree(out, "an adapter", "adapter_config.json");
    return save(
        beginning,
        (listener, cancellation) -> Trained.of(training.run(listener, cancellation), base),
        failure -> Trained.of(failure.lastGoodAdapter().orElseThrow(), base));
  }

  /** What is said where a corpus is read; also finds out whether all files are there. */
  static String tokenizing(Corpus corpus) throws IOException {
    OptionalLong size = corpus.sizeInBytes();
    return String.format(
        Locale.ROOT,
        "tokenizing %s ...",
        size.isPresent() ? ProgressLine.format("%,d bytes", size.getAsLong()) : "the text");
  }

  private boolean save(String beginning, Work work, Function<DivergedException, Trained> lastGood)
      throws IOException {
    try (ShutdownGuard guard = new ShutdownGuard(notes);
        ProgressListener progress = new ProgressListener(notes, Terminal.isThere())) {
      note(beginning);
      TrainingListener listener = begins(guard).and(progress);
      try (Trained trained = work.run(listener, guard.cancellation())) {
        TrainingResult result = progress.result().orElseThrow();
        if (result.steps() == 0) {
          note(NOTHING_SAVED);
        } else {
          save(trained);
        }
        boolean ended = result.reason() != StopReason.CANCELLED;
        if (!ended && resumption != null) {
          note(resumption + " goes on");
        }
        return ended;
      } catch (InterruptedIOException | ClosedByInterruptException e) {
        note(NOTHING_SAVED);
        return false;
      } catch (DivergedException e) {
        try (Trained trained = lastGood.apply(e)) {
          save(trained);
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

  private void save(Trained trained) throws IOException {
    trained.saveInto(out);
    note("saved in " + out);
  }

  private void note(String line) {
    notes.println(line);
    notes.flush();
  }

  /** Saving refuses a directory of something else; better to hear of it before training. */
  private static void requireFree(Path out, String what, String sign) throws IOException {
    if (Files.exists(out) && !Files.isDirectory(out)) {
      throw new NotDirectoryException(
          String.format(Locale.ROOT, "%s: %s is saved as a directory", out, what));
    }
    if (Files.isDirectory(out) && !Files.exists(out.resolve(sign))) {
      try (Stream<Path> entries = Files.list(out)) {
        if (entries.findAny().isPresent()) {
          throw new IOException(
              String.format(
                  Locale.ROOT, "%s: not empty, and not %s; name a new directory", out, what));
        }
      }
    }
    Path parent = out.toAbsolutePath().normalize().getParent();
    if (parent != null && !Files.isWritable(Files.createDirectories(parent))) {
      throw new AccessDeniedException(parent + ": access is denied, nothing can be saved there");
    }
  }
}
