// Over 400 lines: the door, whose methods hand on; most of it is documentation.
package dev.spatz;

import dev.spatz.checkpoint.AdapterDirectory;
import dev.spatz.checkpoint.ClasspathModel;
import dev.spatz.checkpoint.GgufFile;
import dev.spatz.checkpoint.GgufType;
import dev.spatz.checkpoint.LoadedModel;
import dev.spatz.checkpoint.ModelDirectory;
import dev.spatz.checkpoint.Provenance;
import dev.spatz.checkpoint.TextConventions;
import dev.spatz.dataset.Conversations;
import dev.spatz.dataset.Corpus;
import dev.spatz.dataset.Dataset;
import dev.spatz.dataset.DatasetOptions;
import dev.spatz.dataset.ExampleSet;
import dev.spatz.dataset.Preferences;
import dev.spatz.dataset.TrainingSource;
import dev.spatz.generation.Conversation;
import dev.spatz.generation.EngineConfig;
import dev.spatz.generation.EngineStatistics;
import dev.spatz.generation.Generation;
import dev.spatz.generation.GenerationConfig;
import dev.spatz.generation.Generator;
import dev.spatz.generation.LoadOptions;
import dev.spatz.generation.ModelLifetime;
import dev.spatz.generation.ModelMemory;
import dev.spatz.generation.ModelParts;
import dev.spatz.generation.Pooling;
import dev.spatz.generation.RankBy;
import dev.spatz.generation.RankedText;
import dev.spatz.generation.Scorer;
import dev.spatz.generation.Stopping;
import dev.spatz.generation.TextScore;
import dev.spatz.generation.TextStream;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.tokenizer.ChatTemplate;
import dev.spatz.tokenizer.Message;
import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.training.Cancellation;
import dev.spatz.training.Evaluation;
import dev.spatz.training.Evaluator;
import dev.spatz.training.LoggingListener;
import dev.spatz.training.ResumeConfig;
import dev.spatz.training.TrainingConfig;
import dev.spatz.training.TrainingDivergedException;
import dev.spatz.training.TrainingListener;
import dev.spatz.transformer.LoraAdapter;
import dev.spatz.transformer.LoraConfig;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.TransformerConfig;
import dev.spatz.transformer.WeightedAdapter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A language model: train it on text, save it, load it, and let it write.
 *
 * <pre>{@code
 * try (LanguageModel model = LanguageModel.train(Path.of("corpus.txt"), TrainingConfig.defaults())) {
 *   model.save(Path.of("my-model"));
 * }
 * try (LanguageModel model = LanguageModel.load(Path.of("my-model"))) {
 *   String text = model.generate("Once upon a time");
 * }
 * }</pre>
 *
 * <p>A model may be used by many threads at once. Its weights lie off the heap until it is closed;
 * closing ends the texts under way with an exception, and waits for other calls. Such models repeat
 * what they were trained on and can state falsehoods fluently; say so where people read their text.
 */
public final class LanguageModel implements AutoCloseable {
  final Transformer transformer;
  private final Tokenizer tokenizer;
  private final @Nullable Provenance provenance;
  final TextConventions conventions;
  final KernelBackend kernels;
  final LoadOptions options;
  final ModelLifetime lifetime = new ModelLifetime();
  private final Generator generator;
  private final Scorer scorer;

  LanguageModel(
      Transformer transformer,
      Tokenizer tokenizer,
      @Nullable Provenance provenance,
      TextConventions conventions,
      KernelBackend kernels) {
    this(transformer, tokenizer, provenance, conventions, kernels, LoadOptions.defaults());
  }

  LanguageModel(
      Transformer transformer,
      Tokenizer tokenizer,
      @Nullable Provenance provenance,
      TextConventions conventions,
      KernelBackend kernels,
      LoadOptions options) {
    this.transformer = transformer;
    this.tokenizer = tokenizer;
    this.provenance = provenance;
    this.conventions = conventions;
    this.kernels = kernels;
    this.options = options;
    this.generator =
        new Generator(new ModelParts(lifetime, kernels, transformer, tokenizer, options));
    this.scorer = generator.scorer();
  }

  /**
   * Trains a new model on a text file or a directory of them; progress goes to the log.
   *
   * @see #train(Corpus, TrainingConfig, TrainingListener, Cancellation)
   */
  public static LanguageModel train(Path corpus, TrainingConfig config) throws IOException {
    return train(Corpus.of(corpus), config);
  }

  /**
   * Trains a new model on a corpus; progress goes to the log.
   *
   * @see #train(Corpus, TrainingConfig, TrainingListener, Cancellation)
   */
  public static LanguageModel train(Corpus corpus, TrainingConfig config) throws IOException {
    return train(corpus, config, new LoggingListener(), new Cancellation());
  }

  /**
   * Trains a new model on a corpus.
   *
   * @param listener hears of the progress, on the calling thread
   * @param cancellation ends the training early: the best weights so far are the model. So does
   *     interrupting the thread, whose interrupt status then stays set and is to be cleared before
   *     saving; while the corpus is still read, this is an {@code IOException}
   * @return a model that the caller closes
   * @throws IOException if the corpus cannot be read or is malformed; if checkpoints are to be
   *     kept, and their directory has a run already, is in use, or cannot be written
   * @throws IllegalArgumentException if the corpus is too small; the message says what is needed
   * @throws DivergedException if the loss is no longer finite
   */
  public static LanguageModel train(
      Corpus corpus, TrainingConfig config, TrainingListener listener, Cancellation cancellation)
      throws IOException {
    return ModelTraining.train(corpus, config, listener, cancellation);
  }

  /**
   * Goes on with a training run that was stopped or killed; progress goes to the log.
   *
   * @see #resume(Path, ResumeConfig, TrainingListener, Cancellation)
   */
  public static LanguageModel resume(Path run) throws IOException {
    return resume(run, ResumeConfig.defaults(), new LoggingListener(), new Cancellation());
  }

  /**
   * Goes on with a training run from its newest checkpoint that is not damaged, exactly: the model
   * has the bytes that it would have if the run had never stopped.
   *
   * @param run directory of {@link TrainingConfig#withCheckpoints(Path)}
   * @return a model that the caller closes
   * @throws IOException if there is no such run, it is in use, or no checkpoint of it is whole
   * @throws IllegalArgumentException if data or configuration are others than the run's, and the
   *     changes are not allowed or not possible; the message names them
   * @throws DivergedException if the loss is no longer finite
   */
  public static LanguageModel resume(
      Path run, ResumeConfig config, TrainingListener listener, Cancellation cancellation)
      throws IOException {
    return ModelResuming.resume(run, config, listener, cancellation);
  }

  /**
   * Trains a saved model on, with its own tokenizer; progress goes to the log.
   *
   * @return a new model that the caller closes; the directory stays as it is
   * @see #fineTune(LanguageModel, TrainingSource, TrainingConfig, TrainingListener, Cancellation)
   */
  public static LanguageModel fineTune(Path directory, Path corpus, TrainingConfig config)
      throws IOException {
    try (LanguageModel model = load(directory)) {
      return fineTune(model, corpus, config);
    }
  }

  /**
   * Trains a model on, with its own tokenizer; progress goes to the log.
   *
   * @return a new model that the caller closes; the given one stays as it is
   * @see #fineTune(LanguageModel, TrainingSource, TrainingConfig, TrainingListener, Cancellation)
   */
  public static LanguageModel fineTune(LanguageModel model, Path corpus, TrainingConfig config)
      throws IOException {
    return fineTune(model, Corpus.of(corpus), config, new LoggingListener(), new Cancellation());
  }

  /**
   * Trains a model on, with its own tokenizer.
   *
   * <ul>
   *   <li>A {@link Corpus} has texts. An automatic learning rate is a tenth of a new model's.
   *   <li>{@link Conversations} teach it to answer: what the assistant says counts. Conversations
   *       are spelled as {@link #chatTemplate} says.
   *   <li>{@link Preferences} teach it which of two answers to a prompt is better, by direct
   *       preference optimization, see {@link dev.spatz.training.PreferenceConfig}. Only the
   *       answers count; the given model is the reference, and should have been taught to answer
   *       before. An automatic learning rate is a hundredth of a new model's.
   * </ul>
   *
   * @param listener see {@link #train(Corpus, TrainingConfig, TrainingListener, Cancellation)}
   * @param cancellation see there
   * @return a new model that the caller closes; its provenance names the given one, which stays as
   *     it is
   * @throws IOException if the data cannot be read or is malformed; if checkpoints are to be kept,
   *     as training does
   * @throws IllegalArgumentException if the configuration asks for another tokenizer, vocabulary or
   *     shape than the model's, dropout excepted; if the data is too little, has a character that
   *     the tokenizer has no id for, or a conversation that exceeds the context
   * @throws IllegalStateException if the model is closed or frozen
   * @throws DivergedException if the loss is no longer finite
   */
  public static LanguageModel fineTune(
      LanguageModel model,
      TrainingSource data,
      TrainingConfig config,
      TrainingListener listener,
      Cancellation cancellation)
      throws IOException {
    return ModelTraining.fineTune(model, data, config, listener, cancellation);
  }

  /**
   * Loads a model from its directory in the Hugging Face layout.
   *
   * @return a model that the caller closes
   * @throws IOException if a file is missing, broken or of a kind that is not supported; the
   *     message names the file and the fault
   */
  public static LanguageModel load(Path directory) throws IOException {
    return load(directory, LoadOptions.defaults());
  }

  /**
   * Loads a model from its directory in the Hugging Face layout.
   *
   * @param options such as the precision of the weights; a frozen model cannot be saved, exported,
   *     merged or trained on, but adapters of it can be trained
   * @return a model that the caller closes
   * @throws IOException as {@link #load(Path)}
   * @throws IllegalStateException if the precision is not possible on this machine
   */
  public static LanguageModel load(Path directory, LoadOptions options) throws IOException {
    return of(read(directory, options), options);
  }

  /**
   * Loads a model from a directory on the class path, such as one inside a jar. Looked for with the
   * thread's class loader, or this library's where the thread has none.
   *
   * @param directory as names of resources have it, such as {@code models/verses}
   * @return a model that the caller closes
   * @throws IOException as {@link #load(Path)}
   */
  public static LanguageModel loadFromClasspath(String directory) throws IOException {
    return loadFromClasspath(directory, LoadOptions.defaults());
  }

  /**
   * Loads a model from a directory on the class path, as {@link #loadFromClasspath(String)} does.
   *
   * @param options see {@link #load(Path, LoadOptions)}
   * @return a model that the caller closes
   * @throws IOException as {@link #load(Path)}
   * @throws IllegalStateException if the precision is not possible on this machine
   */
  public static LanguageModel loadFromClasspath(String directory, LoadOptions options)
      throws IOException {
    ClassLoader own = LanguageModel.class.getClassLoader();
    ClassLoader ofThread = Thread.currentThread().getContextClassLoader();
    return of(
        ClasspathModel.load(
            ofThread != null ? ofThread : own, directory, copy -> read(copy, options)),
        options);
  }

  private static LoadedModel read(Path directory, LoadOptions options) throws IOException {
    return options.frozen()
        ? ModelDirectory.loadFrozen(directory, options.precision())
        : ModelDirectory.load(directory);
  }

  private static LanguageModel of(LoadedModel loaded, LoadOptions options) {
    KernelBackend kernels;
    try {
      kernels = KernelBackend.choose();
      options.precision().require(kernels);
    } catch (RuntimeException | Error e) {
      loaded.transformer().close();
      throw e;
    }
    return new LanguageModel(
        loaded.transformer(),
        loaded.tokenizer(),
        loaded.provenance(),
        loaded.conventions(),
        kernels,
        options);
  }

  /**
   * Saves the model into a directory in the Hugging Face layout, with a model card. The directory
   * is written whole or not at all; a model that was there before is replaced.
   *
   * @throws IOException if it cannot be written, or the directory holds something else than a model
   * @throws IllegalStateException if the model is closed or frozen
   */
  public void save(Path directory) throws IOException {
    save(directory, conventions);
  }

  /**
   * Saves the model, as {@link #save(Path)} does, with other {@link #generationDefaults}.
   *
   * @throws IllegalArgumentException if {@code generation_config.json} has no key for one of the
   *     settings, such as DRY, XTC or a constraint; the message names it
   * @throws IOException as {@link #save(Path)}
   * @throws IllegalStateException if the model is closed or frozen
   */
  public void save(Path directory, GenerationConfig generationDefaults) throws IOException {
    save(directory, conventions.withGeneration(generationDefaults));
  }

  private void save(Path directory, TextConventions spelled) throws IOException {
    lifetime.whileOpen(
        () -> {
          ModelDirectory.save(directory, transformer, tokenizer, provenance, spelled);
          return null;
        });
  }

  /**
   * Writes the model into one GGUF file, tokenizer and chat template included, for llama.cpp and
   * what builds on it. The file is written whole or not at all; a GGUF file that was there before
   * is replaced.
   *
   * @param type of the matrices; {@code F32} loses nothing
   * @throws IllegalArgumentException if the model cannot be exported faithfully, as a GPT-2 with
   *     the exact GELU; the message says why
   * @throws IOException if it cannot be written, or there is something else of this name
   * @throws IllegalStateException if the model is closed or frozen
   */
  public void exportGguf(Path file, GgufType type) throws IOException {
    lifetime.whileOpen(
        () -> {
          GgufFile.write(file, transformer, tokenizer, conventions, provenance, type);
          return null;
        });
  }

  /**
   * Continues a text with {@link #generationDefaults}.
   *
   * @return the new text, without the prompt
   * @throws IllegalArgumentException as {@link #complete}
   * @throws IllegalStateException if the model is closed
   */
  public String generate(String prompt) {
    return generate(prompt, generationDefaults());
  }

  /**
   * Continues a text.
   *
   * @return the new text, without the prompt
   * @throws IllegalArgumentException as {@link #complete}
   * @throws IllegalStateException if the model is closed
   */
  public String generate(String prompt, GenerationConfig config) {
    return complete(prompt, config).text();
  }

  /**
   * Continues a text, and says how it went.
   *
   * @param prompt the text to continue; an empty one lets the model begin
   * @throws IllegalArgumentException if the prompt leaves no room in the context, or has a
   *     character that the tokenizer has no id for
   * @throws IllegalStateException if the model is closed
   */
  public Generation complete(String prompt, GenerationConfig config) {
    return generator.generate(prompt, ending(config));
  }

  /**
   * Continues a text, and says how it went. Interrupting the thread ends the text early; the
   * interrupt status stays set.
   *
   * @param listener is told each piece of the text at once, whole characters, on the calling
   *     thread; what it throws ends the text and is thrown
   * @throws IllegalArgumentException as {@link #complete(String, GenerationConfig)}
   * @throws IllegalStateException if the model is closed
   */
  public Generation complete(String prompt, GenerationConfig config, Consumer<String> listener) {
    return generator.generate(prompt, ending(config), listener);
  }

  /**
   * Continues several texts together, faster than one after the other; each is the text that it
   * would be alone.
   *
   * @return what was generated, in the order of the prompts
   * @throws IllegalArgumentException as {@link #complete(String, GenerationConfig)}
   * @throws IllegalStateException if the model is closed
   * @throws java.util.concurrent.RejectedExecutionException if other callers wait for all places
   */
  public List<Generation> generateAll(List<String> prompts, GenerationConfig config) {
    return generator.generateAll(prompts, ending(config));
  }

  /**
   * Continues a text while it is read.
   *
   * @return a text that the caller closes, at any time
   * @throws IllegalArgumentException as {@link #complete(String, GenerationConfig)}
   * @throws IllegalStateException if the model is closed
   */
  public TextStream stream(String prompt, GenerationConfig config) {
    return generator.stream(prompt, ending(config));
  }

  /**
   * Continues a text without waiting for it; cancelling the future ends it.
   *
   * @throws IllegalArgumentException as {@link #complete(String, GenerationConfig)}
   * @throws IllegalStateException if the model is closed
   * @throws java.util.concurrent.RejectedExecutionException if too many wait, see {@link
   *     EngineConfig#mostWaiting}
   */
  public CompletableFuture<Generation> generateAsync(String prompt, GenerationConfig config) {
    return generator.generateAsync(prompt, ending(config));
  }

  /**
   * How likely the model finds a text: the log-probability of every token.
   *
   * @throws IllegalArgumentException as {@link #score(String, String)}
   * @throws IllegalStateException if the model is closed
   */
  public TextScore score(String text) {
    return score("", text);
  }

  /**
   * How likely the model finds a text after a prefix: the log-probability of each of its tokens.
   * See {@link Scorer#score} for how the two are encoded. Scores are the same whoever else is
   * served, and differ from the losses of {@link #evaluate} by rounding only, where the same tokens
   * come before.
   *
   * @throws IllegalArgumentException if the text has no token, exceeds the context with its prefix,
   *     or has a character that the tokenizer has no id for
   * @throws IllegalStateException if the model is closed
   * @throws java.util.concurrent.RejectedExecutionException if too many wait, see {@link
   *     EngineConfig#mostWaiting}
   * @throws java.util.concurrent.CancellationException if the thread is interrupted, which stays so
   */
  public TextScore score(String prefix, String text) {
    return scorer.score(prefix, text);
  }

  /**
   * Compares texts that may follow a prefix by their probability.
   *
   * @see #rank(String, List, RankBy)
   */
  public List<RankedText> rank(String prefix, List<String> candidates) {
    return rank(prefix, candidates, RankBy.SUM);
  }

  /**
   * Compares texts that may follow a prefix, which is read only once.
   *
   * @return best first; of equal ones, the one given first
   * @throws IllegalArgumentException if there is no candidate, or as {@link #score(String, String)}
   * @throws IllegalStateException if the model is closed
   */
  public List<RankedText> rank(String prefix, List<String> candidates, RankBy by) {
    return scorer.rank(prefix, candidates, by);
  }

  /**
   * A text as a vector: the mean of its hidden states.
   *
   * @see #embed(String, Pooling)
   */
  public float[] embed(String text) {
    return embed(text, Pooling.MEAN);
  }

  /**
   * A text as a vector of length 1, to compare by scalar products: hidden states after the last
   * normalization, of all its tokens or the last one.
   *
   * @return one number for each channel of the model
   * @throws IllegalArgumentException if the text exceeds the context, or has a character that the
   *     tokenizer has no id for
   * @throws IllegalStateException if the model is closed
   */
  public float[] embed(String text, Pooling pooling) {
    return scorer.embed(text, pooling);
  }

  /**
   * Measures how well the model predicts a text file or a directory of them.
   *
   * @throws IOException if the text cannot be read or is malformed
   * @throws IllegalArgumentException if it has fewer than two tokens, or a character that the
   *     tokenizer has no id for
   * @throws IllegalStateException if the model is closed
   */
  public Evaluation evaluate(Path text) throws IOException {
    return evaluate(Corpus.of(text));
  }

  /**
   * Measures how well the model predicts a corpus: walked in order, in windows of the context
   * length that do not overlap, every token but the first predicted once. The weights are those
   * that texts are written with, in the precision of {@link LoadOptions}.
   *
   * @throws IOException if the text cannot be read or is malformed
   * @throws IllegalArgumentException if it has fewer than two tokens, or a character that the
   *     tokenizer has no id for
   * @throws IllegalStateException if the model is closed
   */
  public Evaluation evaluate(Corpus corpus) throws IOException {
    DatasetOptions whole = DatasetOptions.defaults().withValidationFraction(1);
    return lifetime.whileOpen(
        () -> {
          try (Dataset data = Dataset.prepare(corpus, tokenizer, whole)) {
            return Evaluator.evaluate(
                transformer, data.validation(), options.threads(), kernels, options.precision());
          }
        });
  }

  /**
   * Teaches an adapter (LoRA) beside a model, whose weights stay as they are; progress goes to the
   * log.
   *
   * @see #fineTuneAdapter(LanguageModel, TrainingSource, TrainingConfig, LoraConfig,
   *     TrainingListener, Cancellation)
   */
  public static LoraAdapter fineTuneAdapter(
      LanguageModel model, Path corpus, TrainingConfig config, LoraConfig lora) throws IOException {
    return fineTuneAdapter(
        model, Corpus.of(corpus), config, lora, new LoggingListener(), new Cancellation());
  }

  /**
   * Trains a low-rank adapter (LoRA, Hu et al. 2021) beside a model, whose weights stay as they are
   * and are not copied in float32: it takes a small part of the memory of {@link
   * #fineTune(LanguageModel, TrainingSource, TrainingConfig, TrainingListener, Cancellation)}, and
   * the model can be used meanwhile. In mixed precision passes read a bfloat16 copy of the model.
   * One that was loaded {@link LoadOptions#withFrozen frozen}, in bfloat16 or int8, takes the
   * least.
   *
   * @param data see there; of preferences, the reference is the model without the adapter
   * @param listener see {@link #train(Corpus, TrainingConfig, TrainingListener, Cancellation)}
   * @param cancellation see there
   * @return for {@link GenerationConfig#withAdapter}, {@link #merge} and {@link #saveAdapter};
   *     nobody has to close it
   * @throws IOException as fine-tuning
   * @throws IllegalArgumentException as fine-tuning; also if the model has not all targets
   * @throws IllegalStateException if the model is closed
   * @throws DivergedException if the loss is no longer finite
   */
  public static LoraAdapter fineTuneAdapter(
      LanguageModel model,
      TrainingSource data,
      TrainingConfig config,
      LoraConfig lora,
      TrainingListener listener,
      Cancellation cancellation)
      throws IOException {
    return ModelTraining.fineTuneAdapter(model, data, config, lora, listener, cancellation);
  }

  /**
   * Goes on with a run that trains an adapter; progress goes to the log.
   *
   * @see #resumeAdapter(LanguageModel, Path, ResumeConfig, TrainingListener, Cancellation)
   */
  public static LoraAdapter resumeAdapter(LanguageModel model, Path run) throws IOException {
    return resumeAdapter(
        model, run, ResumeConfig.defaults(), new LoggingListener(), new Cancellation());
  }

  /**
   * Goes on with a run of {@link #fineTuneAdapter} that was stopped or killed, exactly, as {@link
   * #resume(Path, ResumeConfig, TrainingListener, Cancellation)} does with a model's.
   *
   * @param model that the run began with, told by its weights
   * @return as fine-tuning
   * @throws IOException as resuming
   * @throws IllegalArgumentException as resuming; also if the model is another one
   * @throws IllegalStateException if the model is closed
   * @throws DivergedException if the loss is no longer finite
   */
  public static LoraAdapter resumeAdapter(
      LanguageModel model,
      Path run,
      ResumeConfig config,
      TrainingListener listener,
      Cancellation cancellation)
      throws IOException {
    return ModelResuming.resumeAdapter(model, run, config, listener, cancellation);
  }

  /**
   * Loads an adapter for this model from its directory in the layout of Hugging Face's PEFT.
   *
   * @throws IOException if a file is missing, broken, asks for what is not implemented, or is for
   *     another model; the message names the file and the fault
   */
  public LoraAdapter loadAdapter(Path directory) throws IOException {
    return AdapterDirectory.load(directory, config());
  }

  /**
   * Saves an adapter of this model into a directory in the layout of Hugging Face's PEFT, with a
   * model card, as {@link #save} does.
   *
   * @throws IllegalArgumentException if the adapter is for a model of another shape
   * @throws IOException if it cannot be written, or the directory holds something else
   */
  public void saveAdapter(LoraAdapter adapter, Path directory) throws IOException {
    AdapterDirectory.save(directory, adapter, config());
  }

  /**
   * A new model, which the caller closes, whose weights have the updates of adapters in them.
   *
   * @throws IllegalArgumentException if an adapter is for a model of another shape
   * @throws IllegalStateException if the model is closed or frozen
   */
  public LanguageModel merge(WeightedAdapter... adapters) {
    return AdapterMerging.merge(this, List.of(adapters));
  }

  /** A new model with an adapter in its weights, as {@link #merge(WeightedAdapter...)}. */
  public LanguageModel merge(LoraAdapter adapter) {
    return merge(adapter.weighted(1));
  }

  /**
   * Measures which answers the model finds likelier, of pairs; its weights as they were trained.
   *
   * @return of the chosen answers, with {@link Evaluation#preferences}; the reference is the model
   *     itself, so that nothing has been gained
   * @throws IOException if the pairs cannot be read or are malformed
   * @throws IllegalArgumentException if there are none, or a prompt with its answer exceeds the
   *     context and is not to be left out
   * @throws IllegalStateException if the model is closed
   */
  public Evaluation evaluate(Preferences preferences) throws IOException {
    DatasetOptions whole = DatasetOptions.defaults().withValidationFraction(1);
    ExampleSet pairs =
        new ConversationExamples(answerEncoding(), whole.validation()).read(preferences);
    return lifetime.whileOpen(
        () -> Evaluator.evaluate(transformer, pairs, options.threads(), kernels));
  }

  AnswerEncoding answerEncoding() {
    return new AnswerEncoding(tokenizer, chatTemplate(), config().contextLength());
  }

  /**
   * How the model's conversations are spelled: its own way, or else a built-in one.
   *
   * @throws IllegalArgumentException if its own template is malformed, or uses what is not
   *     implemented
   */
  public ChatTemplate chatTemplate() {
    return conventions.template(tokenizer);
  }

  /**
   * A new conversation with the model. One that was not taught to answer (see {@link
   * #fineTune(LanguageModel, TrainingSource, TrainingConfig, TrainingListener, Cancellation)}) goes
   * on with whatever follows.
   *
   * @param begun what was said before, such as {@link Message#system what the system says}
   * @throws IllegalArgumentException as {@link #chatTemplate}
   */
  public Conversation conversation(Message... begun) {
    return new Conversation(
        generator,
        tokenizer,
        chatTemplate(),
        generationDefaults(),
        conventions.moreEnds(),
        config().contextLength(),
        List.of(begun));
  }

  /** A configuration with all tokens that end a text of this model. */
  private GenerationConfig ending(GenerationConfig config) {
    Stopping stopping = config.stopping();
    if (!stopping.atEndOfText() || conventions.moreEnds().isEmpty()) {
      return config;
    }
    Set<Integer> ends = new HashSet<>(stopping.tokens());
    ends.addAll(conventions.moreEnds());
    return config.withStopping(stopping.withTokens(ends));
  }

  /**
   * The settings that the model's {@code generation_config.json} gives, or else {@link
   * GenerationConfig#defaults}; what {@link #generate(String)} and {@link Conversation#say(String)}
   * use. Every other call uses what it is given, which {@code generationDefaults().with…} may be.
   */
  public GenerationConfig generationDefaults() {
    GenerationConfig own = conventions.generation();
    return own == null ? GenerationConfig.defaults() : own;
  }

  /** The model's shape. */
  public TransformerConfig config() {
    return transformer.config();
  }

  /** The model's tokenizer. */
  public Tokenizer tokenizer() {
    return tokenizer;
  }

  /**
   * How much memory the model takes off the heap now, and for what; {@link #close} returns all.
   *
   * @throws IllegalStateException if the model is closed
   */
  public ModelMemory memory() {
    return generator.memory();
  }

  /** What writing the texts of all callers together has come to so far. */
  public EngineStatistics engineStatistics() {
    return generator.statistics();
  }

  /** Where the model comes from, if its files say so. */
  public Optional<Provenance> provenance() {
    return Optional.ofNullable(provenance);
  }

  /** Frees the model's memory; texts under way end with an exception. Closing twice is fine. */
  @Override
  public void close() {
    generator.close();
    lifetime.close(transformer::close);
  }

  /** Training ended because a loss was not finite; the model as it was before is at hand. */
  public static final class DivergedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final transient Supplier<LanguageModel> lastGood;
    private final transient @Nullable LoraAdapter lastGoodAdapter;

    DivergedException(TrainingDivergedException cause, LanguageModel lastGood) {
      super(cause.getMessage(), cause);
      this.lastGood = () -> lastGood;
      this.lastGoodAdapter = null;
    }

    /** Of an adapter of a model. */
    DivergedException(
        TrainingDivergedException cause, LanguageModel base, LoraAdapter lastGoodAdapter) {
      super(cause.getMessage(), cause);
      this.lastGood = () -> base.merge(lastGoodAdapter);
      this.lastGoodAdapter = lastGoodAdapter;
    }

    /**
     * The model with the best weights of the evaluations before the failure (its initial weights,
     * if there was none); the caller closes it. Where an adapter was trained, it is merged into a
     * new one, as {@link #merge} does.
     */
    public LanguageModel lastGood() {
      return lastGood.get();
    }

    /** The adapter of that time, where one was trained. */
    public Optional<LoraAdapter> lastGoodAdapter() {
      return Optional.ofNullable(lastGoodAdapter);
    }
  }
}
