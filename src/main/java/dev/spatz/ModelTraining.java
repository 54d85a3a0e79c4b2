package dev.spatz;

import dev.spatz.checkpoint.BaseModel;
import dev.spatz.checkpoint.RunDirectory;
import dev.spatz.checkpoint.TextConventions;
import dev.spatz.dataset.Corpus;
import dev.spatz.dataset.Preferences;
import dev.spatz.dataset.TokenizerLearning;
import dev.spatz.dataset.TrainingData;
import dev.spatz.dataset.TrainingSource;
import dev.spatz.tokenizer.CharacterTokenizer;
import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.training.Automatic;
import dev.spatz.training.Cancellation;
import dev.spatz.training.CheckpointConfig;
import dev.spatz.training.FineTuning;
import dev.spatz.training.TokenizerKind;
import dev.spatz.training.TrainingConfig;
import dev.spatz.training.TrainingListener;
import dev.spatz.transformer.LoraAdapter;
import dev.spatz.transformer.LoraConfig;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/** Behind the door's methods that train: data, and a model to begin with → a trained one. */
final class ModelTraining {
  /** In the origin of an adapter that was taught to answer: how its conversations are spelled. */
  static final String CHAT_TEMPLATE = "chat template";

  private ModelTraining() {}

  /** See {@link LanguageModel#train(Corpus, TrainingConfig, TrainingListener, Cancellation)}. */
  static LanguageModel train(
      Corpus corpus, TrainingConfig config, TrainingListener listener, Cancellation cancellation)
      throws IOException {
    try (RunDirectory run = runDirectory(config)) {
      Tokenizer tokenizer = learnTokenizer(corpus, config);
      int ids = tokenizer.vocabularySize();
      TextConventions conventions = TextConventions.of(tokenizer);
      TransformerConfig shape =
          config.model() != null
              ? config.model().withVocabularySize(ids)
              : Automatic.model(ids, config.dropout());
      DataPreparation preparation =
          new DataPreparation(tokenizer, conventions, shape.contextLength());
      try (TrainingData data = preparation.prepare(corpus, config.validation(), path(run))) {
        Transformer fresh = Transformer.initialized(shape, DataType.FLOAT, config.seed());
        Learner<LanguageModel> learner = new Learner.OfModel(fresh, tokenizer, conventions);
        return new TrainingRun<>(data, learner, Map.of(), run)
            .train(config, listener, cancellation);
      }
    }
  }

  private static @Nullable RunDirectory runDirectory(TrainingConfig config) throws IOException {
    CheckpointConfig checkpoints = config.checkpoints();
    return checkpoints == null ? null : RunDirectory.create(checkpoints.directory());
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
   * See {@link LanguageModel#fineTune(LanguageModel, TrainingSource, TrainingConfig,
   * TrainingListener, Cancellation)}.
   */
  static LanguageModel fineTune(
      LanguageModel model,
      TrainingSource source,
      TrainingConfig config,
      TrainingListener listener,
      Cancellation cancellation)
      throws IOException {
    int ids = model.tokenizer().vocabularySize();
    TrainingConfig general = FineTuning.config(config, model.config(), kind(model), ids);
    TrainingConfig decided = decided(general, config, source, model);
    try (RunDirectory run = runDirectory(config);
        TrainingData data = data(model, source, config, run)) {
      Map<String, String> base = base(model);
      Transformer copy =
          model.lifetime.whileOpen(() -> FineTuning.copy(model.transformer, decided));
      TextConventions spelled =
          source instanceof Corpus
              ? model.conventions
              : model.conventions.withChatTemplate(model.chatTemplate().source());
      Learner<LanguageModel> learner = new Learner.OfModel(copy, model.tokenizer(), spelled);
      return new TrainingRun<>(data, learner, base, run).train(decided, listener, cancellation);
    }
  }

  /**
   * See {@link LanguageModel#fineTuneAdapter(LanguageModel, TrainingSource, TrainingConfig,
   * LoraConfig, TrainingListener, Cancellation)}.
   */
  static LoraAdapter fineTuneAdapter(
      LanguageModel model,
      TrainingSource source,
      TrainingConfig config,
      LoraConfig lora,
      TrainingListener listener,
      Cancellation cancellation)
      throws IOException {
    int ids = model.tokenizer().vocabularySize();
    TrainingConfig general = FineTuning.adapterConfig(config, model.config(), kind(model), ids);
    TrainingConfig decided = decided(general, config, source, model);
    Map<String, String> spelled =
        source instanceof Corpus ? Map.of() : Map.of(CHAT_TEMPLATE, model.chatTemplate().source());
    try (RunDirectory run = runDirectory(config);
        TrainingData data = data(model, source, config, run)) {
      Map<String, String> base = base(model);
      return model.lifetime.whileOpen(
          () -> {
            try (Transformer adapted = FineTuning.adapted(model.transformer, decided, lora)) {
              Learner<LoraAdapter> learner = new Learner.OfAdapter(model, adapted, spelled);
              return new TrainingRun<>(data, learner, base, run)
                  .train(decided, listener, cancellation);
            }
          });
    }
  }

  private static TrainingConfig decided(
      TrainingConfig general, TrainingConfig config, TrainingSource source, LanguageModel model) {
    return source instanceof Preferences
        ? FineTuning.preferenceConfig(config, general, model.config())
        : general;
  }

  private static TrainingData data(
      LanguageModel model, TrainingSource source, TrainingConfig config, @Nullable RunDirectory run)
      throws IOException {
    return DataPreparation.of(model).prepare(source, config.validation(), path(run));
  }

  private static @Nullable Path path(@Nullable RunDirectory run) {
    return run == null ? null : run.path();
  }

  private static TokenizerKind kind(LanguageModel model) {
    return model.tokenizer() instanceof CharacterTokenizer
        ? TokenizerKind.CHARACTER
        : TokenizerKind.BYTE_PAIR;
  }

  /** What is known of a model that another one, or an adapter, begins with. */
  static Map<String, String> base(LanguageModel model) throws IOException {
    return model.lifetime.whileOpen(
        () -> BaseModel.describe(model.transformer, model.provenance().orElse(null)));
  }
}
