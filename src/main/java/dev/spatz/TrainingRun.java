package dev.spatz;

import dev.spatz.LanguageModel.DivergedException;
import dev.spatz.checkpoint.Provenance;
import dev.spatz.checkpoint.RunDirectory;
import dev.spatz.checkpoint.RunSettings;
import dev.spatz.checkpoint.SavedCheckpoint;
import dev.spatz.dataset.TrainingData;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.report.FlightRecording;
import dev.spatz.report.TrainingReport;
import dev.spatz.training.Cancellation;
import dev.spatz.training.Trainer;
import dev.spatz.training.TrainingConfig;
import dev.spatz.training.TrainingDivergedException;
import dev.spatz.training.TrainingListener;
import dev.spatz.training.TrainingResult;
import dev.spatz.training.TrainingState;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A model, or an adapter of one, that is trained on a data set, with the trainer's state kept in a
 * run's directory.
 *
 * @param base what is known of the model that it began with; empty for a new one
 * @param run where checkpoints are kept, null if nowhere
 */
record TrainingRun<T>(
    TrainingData data, Learner<T> learner, Map<String, String> base, @Nullable RunDirectory run) {

  /** What is done with a trainer. */
  private interface Work<T> {
    T with(Trainer trainer) throws IOException;
  }

  /** Trains from the beginning. */
  T train(TrainingConfig config, TrainingListener listener, Cancellation cancellation)
      throws IOException {
    KernelBackend kernels = KernelBackend.choose();
    return with(
        () -> Trainer.create(learner.transformer(), data, config, kernels),
        trainer -> {
          if (run != null) {
            keepCheckpoints(
                trainer,
                RunSettings.of(
                    trainer.plan(),
                    RunDirectory.tokensDigest(run.path()),
                    base,
                    Objects.requireNonNull(config.checkpoints()),
                    config.threads()));
          }
          return finish(trainer, listener, cancellation);
        });
  }

  /**
   * Trains on from a checkpoint, whose weights the learner has.
   *
   * @param settings with which it goes on, which may be others than those of the checkpoint
   */
  T goOn(
      SavedCheckpoint from,
      RunSettings settings,
      TrainingListener listener,
      Cancellation cancellation)
      throws IOException {
    return with(
        () -> Trainer.create(learner.transformer(), data, settings.plan(), settings.threads()),
        trainer -> {
          from.restore(trainer);
          TrainingState.Keeper keeper = keepCheckpoints(trainer, settings);
          if (!settings.equals(from.settings())) {
            keeper.keep(trainer.state()); // so that all further ones are of these settings
          }
          return finish(trainer, listener, cancellation);
        });
  }

  private T with(Supplier<Trainer> creation, Work<T> work) throws IOException {
    try (Trainer trainer = creation.get()) {
      return work.with(trainer);
    } catch (DivergedException e) {
      throw e; // its model owns the weights
    } catch (UncheckedIOException e) {
      learner.abandon();
      throw e.getCause();
    } catch (IOException | RuntimeException | Error e) {
      learner.abandon();
      throw e;
    }
  }

  private TrainingState.Keeper keepCheckpoints(Trainer trainer, RunSettings settings) {
    RunDirectory directory = Objects.requireNonNull(run);
    Provenance begun = Provenance.of(data, trainer.plan(), null, base);
    TrainingState.Keeper keeper =
        state -> {
          Provenance provenance = begun.after(state.progress().step());
          directory.keep(learner.checkpoint(provenance, settings, state));
        };
    trainer.keepStates(settings.checkpoints(), keeper);
    return keeper;
  }

  private T finish(Trainer trainer, TrainingListener listener, Cancellation cancellation)
      throws IOException {
    if (run == null) {
      return finishReported(trainer, listener, cancellation);
    }
    try (TrainingReport report = TrainingReport.into(run.path())) {
      return finishReported(trainer, listener.and(report), cancellation);
    }
  }

  private T finishReported(Trainer trainer, TrainingListener listener, Cancellation cancellation) {
    KernelBackend kernels = trainer.plan().kernels();
    TrainingListener all =
        listener.and(new FlightRecording()).and(learner.samples(listener, kernels));
    try {
      TrainingResult result = trainer.run(all, cancellation);
      return learner.learned(Provenance.of(data, trainer.plan(), result, base), kernels);
    } catch (TrainingDivergedException e) {
      Provenance provenance = Provenance.of(data, trainer.plan(), null, base);
      throw learner.diverged(e, provenance, kernels);
    }
  }
}
