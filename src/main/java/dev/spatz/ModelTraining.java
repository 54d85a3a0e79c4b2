package dev.spatz;

import dev.spatz.LanguageModel.DivergedException;
import dev.spatz.checkpoint.BaseModel;
import dev.spatz.checkpoint.Provenance;
import dev.spatz.dataset.Corpus;
import dev.spatz.dataset.Dataset;
import dev.spatz.dataset.DatasetOptions;
import dev.spatz.dataset.TokenizerLearning;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.report.FlightRecording;
import dev.spatz.tokenizer.CharacterTokenizer;
import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.training.Automatic;
import dev.spatz.training.Cancellation;
import dev.spatz.training.FineTuning;
import dev.spatz.training.TokenizerKind;
import dev.spatz.training.Trainer;
import dev.spatz.training.TrainingConfig;
import dev.spatz.training.TrainingDivergedException;
import dev.spatz.training.TrainingListener;
import dev.spatz.training.TrainingResult;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;

/** Behind the door's methods that train: corpus → tokenizer and data set → trained model. */
final class ModelTraining {
  private ModelTraining() {}

  /** See {@link LanguageModel#train(Corpus, TrainingConfig, TrainingListener, Cancellation)}. */
  static LanguageModel train(
      Corpus corpus, TrainingConfig config, TrainingListener listener, Cancellation cancellation)
      throws IOException {
    Tokenizer tokenizer = learnTokenizer(corpus, config);
    int ids = tokenizer.vocabularySize();
    DatasetOptions options = DatasetOptions.defaults().withValidation(config.validation());
    try (Dataset data = Dataset.prepare(corpus, tokenizer, options)) {
      TransformerConfig shape =
          config.model() != null
              ? config.model().withVocabularySize(ids)
              : Automatic.model(ids, config.dropout());
      data.requireWindows(shape.contextLength());
      Transformer fresh = Transformer.initialized(shape, DataType.FLOAT, config.seed());
      return train(data, fresh, tokenizer, config, Map.of(), listener, cancellation);
    }
  }

  private static Tokenizer learnTokenizer(Corpus corpus, TrainingConfig config) throws IOException {
    if (config.tokenizer() == TokenizerKind.CHARACTER) {
      return TokenizerLearning.characters(corpus);
    }
    TransformerConfig model = config.model();
    int given =
        config.vocabularySize() == 0 && model != null
            ? model.vocabularySize()
            : config.vocabularySize();
    return TokenizerLearning.bytePair(
        corpus, characters -> given > 0 ? given : Automatic.vocabularySize(characters));
  }

  /**
   * See {@link LanguageModel#fineTune(LanguageModel, Corpus, TrainingConfig, TrainingListener,
   * Cancellation)}.
   */
  static LanguageModel fineTune(
      LanguageModel model,
      Corpus corpus,
      TrainingConfig config,
      TrainingListener listener,
      Cancellation cancellation)
      throws IOException {
    Tokenizer own = model.tokenizer();
    TokenizerKind kind =
        own instanceof CharacterTokenizer ? TokenizerKind.CHARACTER : TokenizerKind.BYTE_PAIR;
    TrainingConfig decided = FineTuning.config(config, model.config(), kind, own.vocabularySize());
    DatasetOptions options = DatasetOptions.defaults().withValidation(config.validation());
    try (Dataset data = Dataset.prepare(corpus, own, options)) {
      data.requireWindows(model.config().contextLength());
      Map<String, String> base =
          model.lifetime.whileOpen(
              () -> BaseModel.describe(model.transformer, model.provenance().orElse(null)));
      Transformer copy =
          model.lifetime.whileOpen(() -> FineTuning.copy(model.transformer, decided));
      return train(data, copy, own, decided, base, listener, cancellation);
    }
  }

  /** Trains a transformer, which becomes the model's, or is closed. */
  private static LanguageModel train(
      Dataset data,
      Transformer transformer,
      Tokenizer tokenizer,
      TrainingConfig config,
      Map<String, String> base,
      TrainingListener listener,
      Cancellation cancellation) {
    KernelBackend kernels = KernelBackend.choose();
    try (Trainer trainer = Trainer.create(transformer, data, config, kernels)) {
      try {
        TrainingListener all =
            listener
                .and(new FlightRecording())
                .and(new TrainingSamples(listener, transformer, tokenizer, kernels));
        TrainingResult result = trainer.run(all, cancellation);
        Provenance provenance = Provenance.of(data, trainer.plan(), result, base);
        return new LanguageModel(transformer, tokenizer, provenance, kernels);
      } catch (TrainingDivergedException e) {
        Provenance provenance = Provenance.of(data, trainer.plan(), null, base);
        throw new DivergedException(
            e, new LanguageModel(transformer, tokenizer, provenance, kernels));
      }
    } catch (DivergedException e) {
      throw e; // its model owns the weights
    } catch (RuntimeException | Error e) {
      transformer.close();
      throw e;
    }
  }
}
