package dev.spatz;

import dev.spatz.checkpoint.LoadedModel;
import dev.spatz.checkpoint.RunDirectory;
import dev.spatz.checkpoint.RunSettings;
import dev.spatz.checkpoint.SavedCheckpoint;
import dev.spatz.dataset.TrainingData;
import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.training.Cancellation;
import dev.spatz.training.ResumeConfig;
import dev.spatz.training.TrainingListener;
import dev.spatz.transformer.LoraAdapter;
import dev.spatz.transformer.LoraConfig;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Behind the door's methods that resume: a run's directory → what it ends with, unstopped. */
final class ModelResuming {
  private ModelResuming() {}

  /** See {@link LanguageModel#resume(Path, ResumeConfig, TrainingListener, Cancellation)}. */
  static LanguageModel resume(
      Path directory, ResumeConfig config, TrainingListener listener, Cancellation cancellation)
      throws IOException {
    try (RunDirectory run = RunDirectory.open(directory)) {
      SavedCheckpoint from = run.newest();
      LoadedModel loaded = from.load();
      try {
        if (config.lora() != null) {
          throw new IllegalArgumentException(
              run.path() + ": the run trains a model, not an adapter; leave lora out");
        }
        return resume(run, from, loaded, config, listener, cancellation);
      } catch (LanguageModel.DivergedException e) {
        throw e; // its model owns the weights
      } catch (Throwable e) {
        loaded.close();
        throw e;
      }
    }
  }

  private static LanguageModel resume(
      RunDirectory run,
      SavedCheckpoint from,
      LoadedModel loaded,
      ResumeConfig config,
      TrainingListener listener,
      Cancellation cancellation)
      throws IOException {
    Tokenizer tokenizer = loaded.tokenizer();
    int contextLength = loaded.transformer().config().contextLength();
    DataPreparation preparation =
        new DataPreparation(tokenizer, loaded.conventions(), contextLength);
    Map<String, String> base = from.settings().base();
    RunSettings settings = new ResumedSettings(run, from, config, preparation).decide(base);
    try (TrainingData data = TrainingData.open(run.path(), tokenizer)) {
      Transformer transformer = withShape(loaded.transformer(), settings.plan().model());
      Learner<LanguageModel> learner =
          new Learner.OfModel(transformer, tokenizer, loaded.conventions());
      return new TrainingRun<>(data, learner, base, run)
          .goOn(from, settings, listener, cancellation);
    }
  }

  /**
   * See {@link LanguageModel#resumeAdapter(LanguageModel, Path, ResumeConfig, TrainingListener,
   * Cancellation)}.
   */
  static LoraAdapter resumeAdapter(
      LanguageModel model,
      Path directory,
      ResumeConfig config,
      TrainingListener listener,
      Cancellation cancellation)
      throws IOException {
    Map<String, String> base = ModelTraining.base(model);
    try (RunDirectory run = RunDirectory.open(directory)) {
      SavedCheckpoint from = run.newest();
      LoraAdapter kept = from.loadAdapter(model.config());
      requireSame(kept, config.lora(), model.config());
      RunSettings settings =
          new ResumedSettings(run, from, config, DataPreparation.of(model)).decide(base);
      String template = kept.origin().get(ModelTraining.CHAT_TEMPLATE);
      Map<String, String> spelled =
          template == null ? Map.of() : Map.of(ModelTraining.CHAT_TEMPLATE, template);
      double dropout = settings.plan().model().dropout();
      return model.lifetime.whileOpen(
          () -> {
            try (TrainingData data = TrainingData.open(run.path(), model.tokenizer());
                Transformer adapted = model.transformer.adapted(kept, dropout)) {
              Learner<LoraAdapter> learner = new Learner.OfAdapter(model, adapted, spelled);
              return new TrainingRun<>(data, learner, settings.base(), run)
                  .goOn(from, settings, listener, cancellation);
            }
          });
    }
  }

  private static void requireSame(
      LoraAdapter kept, @Nullable LoraConfig asked, TransformerConfig model) {
    if (asked == null) {
      return;
    }
    LoraConfig before = kept.config();
    LoraConfig now =
        new LoraConfig(
            asked.rank(), asked.alpha(), asked.dropout(), before.targets(), asked.rankStabilized());
    if (!now.equals(before) || !asked.modules(model).equals(kept.modules())) {
      throw new IllegalArgumentException(
          "the shape of an adapter cannot change; it was " + before + ", and is to be " + asked);
    }
  }

  /** The same weights in another shape, whose dropout is the only difference. */
  private static Transformer withShape(Transformer transformer, TransformerConfig shape) {
    if (shape.equals(transformer.config())) {
      return transformer;
    }
    Transformer copy = Transformer.zeros(shape, transformer.dataType());
    copy.parameters().copyFrom(transformer.parameters());
    transformer.close();
    return copy;
  }
}
