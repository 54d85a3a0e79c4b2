package dev.spatz;

import dev.spatz.checkpoint.BaseModel;
import dev.spatz.checkpoint.RunDirectory;
import dev.spatz.checkpoint.TextConventions;
import dev.spatz.dataset.Conversations;
import dev.spatz.dataset.Corpus;
import dev.spatz.dataset.Dataset;
import dev.spatz.dataset.DatasetOptions;
import dev.spatz.dataset.ExampleSet;
import dev.spatz.dataset.Preferences;
import dev.spatz.dataset.TokenizerLearning;
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
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/** Behind the door's methods that train: corpus → tokenizer and data set → trained model. */
final class ModelTraining {
  private ModelTraining() {}

  /** See {@link LanguageModel#train(Corpus, TrainingConfig, TrainingListener, Cancellation)}. */
  static LanguageModel train(
      Corpus corpus, TrainingConfig config, TrainingListener listener, Cancellation cancellation)
      throws IOException {
    try (RunDirectory run = runDirectory(config)) {
      Tokenizer tokenizer = learnTokenizer(corpus, config);
      int ids = tokenizer.vocabularySize();
      try (Dataset data = Dataset.prepare(corpus, tokenizer, datasetOptions(config, run))) {
        TransformerConfig shape =
            config.model() != null
                ? config.model().withVocabularySize(ids)
                : Automatic.model(ids, config.dropout());
        data.requireWindows(shape.contextLength());
        Transformer fresh = Transformer.initialized(shape, DataType.FLOAT, config.seed());
        return new TrainingRun(data, fresh, tokenizer, Map.of(), TextConventions.of(tokenizer), run)
            .train(config, listener, cancellation);
      }
    }
  }

  private static @Nullable RunDirectory runDirectory(TrainingConfig config) throws IOException {
    CheckpointConfig checkpoints = config.checkpoints();
    return checkpoints == null ? null : RunDirectory.create(checkpoints.directory());
  }

  private static DatasetOptions datasetOptions(TrainingConfig config, @Nullable RunDirectory run) {
    DatasetOptions options = DatasetOptions.defaults().withValidation(config.validation());
    return run == null ? options : options.withDirectory(run.path());
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
    TrainingConfig decided = decided(config, model);
    try (RunDirectory run = runDirectory(config);
        Dataset data = Dataset.prepare(corpus, own, datasetOptions(config, run))) {
      data.requireWindows(model.config().contextLength());
      Map<String, String> base = base(model);
      Transformer copy =
          model.lifetime.whileOpen(() -> FineTuning.copy(model.transformer, decided));
      return new TrainingRun(data, copy, own, base, model.conventions, run)
          .train(decided, listener, cancellation);
    }
  }

  /**
   * See {@link LanguageModel#fineTune(LanguageModel, Conversations, TrainingConfig,
   * TrainingListener, Cancellation)}.
   */
  static LanguageModel fineTune(
      LanguageModel model,
      Conversations conversations,
      TrainingConfig config,
      TrainingListener listener,
      Cancellation cancellation)
      throws IOException {
    try (RunDirectory run = runDirectory(config)) {
      ExampleSet data = examples(model, config).read(conversations);
      data.requireWindows(model.config().contextLength());
      if (run != null) {
        data.keep(run.path());
      }
      return fineTune(model, data, decided(config, model), run, listener, cancellation);
    }
  }

  /**
   * See {@link LanguageModel#fineTune(LanguageModel, Preferences, TrainingConfig, TrainingListener,
   * Cancellation)}.
   */
  static LanguageModel fineTune(
      LanguageModel model,
      Preferences preferences,
      TrainingConfig config,
      TrainingListener listener,
      Cancellation cancellation)
      throws IOException {
    if (config.checkpoints() != null) {
      throw new IllegalArgumentException(
          "checkpoints are kept of trainings on texts and conversations, not on preferences; leave"
              + " them out");
    }
    TrainingConfig decided =
        FineTuning.preferenceConfig(config, decided(config, model), model.config());
    ExampleSet data = examples(model, config).read(preferences);
    return fineTune(model, data, decided, null, listener, cancellation);
  }

  private static ConversationExamples examples(LanguageModel model, TrainingConfig config) {
    return new ConversationExamples(model.answerEncoding(), config.validation());
  }

  private static LanguageModel fineTune(
      LanguageModel model,
      ExampleSet data,
      TrainingConfig decided,
      @Nullable RunDirectory run,
      TrainingListener listener,
      Cancellation cancellation)
      throws IOException {
    data.requireWindows(model.config().contextLength());
    Map<String, String> base = base(model);
    Transformer copy = model.lifetime.whileOpen(() -> FineTuning.copy(model.transformer, decided));
    TextConventions spelled = model.conventions.withChatTemplate(model.chatTemplate().source());
    return new TrainingRun(data, copy, model.tokenizer(), base, spelled, run)
        .train(decided, listener, cancellation);
  }

  /**
   * See {@link LanguageModel#fineTuneAdapter(LanguageModel, Corpus, TrainingConfig, LoraConfig,
   * TrainingListener, Cancellation)}.
   */
  static LoraAdapter fineTuneAdapter(
      LanguageModel model,
      Corpus corpus,
      TrainingConfig config,
      LoraConfig lora,
      TrainingListener listener,
      Cancellation cancellation)
      throws IOException {
    TrainingConfig decided = decidedForAdapter(config, model);
    try (Dataset data = Dataset.prepare(corpus, model.tokenizer(), datasetOptions(config, null))) {
      data.requireWindows(model.config().contextLength());
      return new AdapterTraining(model, data, decided, lora, Map.of())
          .train(listener, cancellation);
    }
  }

  /**
   * See {@link LanguageModel#fineTuneAdapter(LanguageModel, Conversations, TrainingConfig,
   * LoraConfig, TrainingListener, Cancellation)}.
   */
  static LoraAdapter fineTuneAdapter(
      LanguageModel model,
      Conversations conversations,
      TrainingConfig config,
      LoraConfig lora,
      TrainingListener listener,
      Cancellation cancellation)
      throws IOException {
    TrainingConfig decided = decidedForAdapter(config, model);
    ExampleSet data = examples(model, config).read(conversations);
    return fineTuneAdapter(model, data, decided, lora, listener, cancellation);
  }

  /**
   * See {@link LanguageModel#fineTuneAdapter(LanguageModel, Preferences, TrainingConfig,
   * LoraConfig, TrainingListener, Cancellation)}.
   */
  static LoraAdapter fineTuneAdapter(
      LanguageModel model,
      Preferences preferences,
      TrainingConfig config,
      LoraConfig lora,
      TrainingListener listener,
      Cancellation cancellation)
      throws IOException {
    TrainingConfig decided =
        FineTuning.preferenceConfig(config, decidedForAdapter(config, model), model.config());
    ExampleSet data = examples(model, config).read(preferences);
    return fineTuneAdapter(model, data, decided, lora, listener, cancellation);
  }

  private static LoraAdapter fineTuneAdapter(
      LanguageModel model,
      ExampleSet data,
      TrainingConfig decided,
      LoraConfig lora,
      TrainingListener listener,
      Cancellation cancellation)
      throws IOException {
    data.requireWindows(model.config().contextLength());
    Map<String, String> spelled =
        Map.of(AdapterTraining.CHAT_TEMPLATE, model.chatTemplate().source());
    return new AdapterTraining(model, data, decided, lora, spelled).train(listener, cancellation);
  }

  private static TrainingConfig decided(TrainingConfig config, LanguageModel model) {
    int ids = model.tokenizer().vocabularySize();
    return FineTuning.config(config, model.config(), kind(model), ids);
  }

  private static TrainingConfig decidedForAdapter(TrainingConfig config, LanguageModel model) {
    int ids = model.tokenizer().vocabularySize();
    return FineTuning.adapterConfig(config, model.config(), kind(model), ids);
  }

  private static TokenizerKind kind(LanguageModel model) {
    return model.tokenizer() instanceof CharacterTokenizer
        ? TokenizerKind.CHARACTER
        : TokenizerKind.BYTE_PAIR;
  }

  static Map<String, String> base(LanguageModel model) throws IOException {
    return model.lifetime.whileOpen(
        () -> BaseModel.describe(model.transformer, model.provenance().orElse(null)));
  }
}
