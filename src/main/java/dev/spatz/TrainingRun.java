package dev.spatz;

import dev.spatz.LanguageModel.DivergedException;
import dev.spatz.checkpoint.Checkpoint;
import dev.spatz.checkpoint.Provenance;
import dev.spatz.checkpoint.RunDirectory;
import dev.spatz.checkpoint.RunSettings;
import dev.spatz.checkpoint.SavedCheckpoint;
import dev.spatz.checkpoint.TextConventions;
import dev.spatz.dataset.TrainingData;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.report.FlightRecording;
import dev.spatz.report.TrainingReport;
import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.training.Cancellation;
import dev.spatz.training.Trainer;
import dev.spatz.training.TrainingConfig;
import dev.spatz.training.TrainingDivergedException;
import dev.spatz.training.TrainingListener;
import dev.spatz.training.TrainingResult;
import dev.spatz.training.TrainingState;
import dev.spatz.transformer.Transformer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A transformer that is trained on a data set, with the trainer's state kept in a run's directory.
 *
 * @param transformer becomes the model's, or is closed if there will be none
 * @param base what is known of the model that it began as; empty for a new one
 * @param conventions of the model's texts
 * @param run where checkpoints are kept, null if nowhere
 */
record TrainingRun(
    TrainingData data,
    Transformer transformer,
    Tokenizer tokenizer,
    Map<String, String> base,
    TextConventions conventions,
    @Nullable RunDirectory run) {

  /** What is done with a trainer. */
  private interface Work {
    LanguageModel with(Trainer trainer) throws IOException;
  }

  /** Trains from the beginning. */
  LanguageModel train(TrainingConfig config, TrainingListener listener, Cancellation cancellation)
      throws IOException {
    KernelBackend kernels = KernelBackend.choose();
    return with(
        () -> Trainer.create(transformer, data, config, kernels),
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
   * Trains on from a checkpoint, whose weights the transformer has.
   *
   * @param settings with which it goes on, which may be others than those of the checkpoint
   */
  LanguageModel goOn(
      SavedCheckpoint from,
      RunSettings settings,
      TrainingListener listener,
      Cancellation cancellation)
      throws IOException {
    return with(
        () -> Trainer.create(transformer, data, settings.plan(), settings.threads()),
        trainer -> {
          from.restore(trainer);
          TrainingState.Keeper keeper = keepCheckpoints(trainer, settings);
          if (!settings.equals(from.settings())) {
            keeper.keep(trainer.state()); // so that all further ones are of these settings
          }
          return finish(trainer, listener, cancellation);
        });
  }

  private LanguageModel with(Supplier<Trainer> creation, Work work) throws IOException {
    try (Trainer trainer = creation.get()) {
      return work.with(trainer);
    } catch (DivergedException e) {
      throw e; // its model owns the weights
    } catch (UncheckedIOException e) {
      transformer.close();
      throw e.getCause();
    } catch (IOException | RuntimeException | Error e) {
      transformer.close();
      throw e;
    }
  }

  private TrainingState.Keeper keepCheckpoints(Trainer trainer, RunSettings settings) {
    RunDirectory directory = Objects.requireNonNull(run);
    Provenance begun = Provenance.of(data, trainer.plan(), null, base);
    TrainingState.Keeper keeper =
        state -> {
          Provenance provenance = begun.after(state.progress().step());
          directory.keep(
              new Checkpoint(transformer, tokenizer, provenance, conventions, settings, state));
        };
    trainer.keepStates(settings.checkpoints(), keeper);
    return keeper;
  }

  private LanguageModel finish(
      Trainer trainer, TrainingListener listener, Cancellation cancellation) throws IOException {
    if (run == null) {
      return finishReported(trainer, listener, cancellation);
    }
    try (TrainingReport report = TrainingReport.into(run.path())) {
      return finishReported(trainer, listener.and(report), cancellation);
    }
  }

  private LanguageModel finishReported(
      Trainer trainer, TrainingListener listener, Cancellation cancellation) {
    KernelBackend kernels = trainer.plan().kernels();
    TrainingListener all =
        listener
            .and(new FlightRecording())
            .and(new TrainingSamples(listener, transformer, tokenizer, kernels, List::of));
    try {
      TrainingResult result = trainer.run(all, cancellation);
      return model(trainer, Provenance.of(data, trainer.plan(), result, base));
    } catch (TrainingDivergedException e) {
      Provenance provenance = Provenance.of(data, trainer.plan(), null, base);
      throw new DivergedException(e, model(trainer, provenance));
    }
  }

  private LanguageModel model(Trainer trainer, Provenance provenance) {
    return new LanguageModel(
        transformer, tokenizer, provenance, conventions, trainer.plan().kernels());
  }
}
