package dev.spatz;

import dev.spatz.checkpoint.InvalidFileException;
import dev.spatz.checkpoint.LoadedModel;
import dev.spatz.checkpoint.RunDirectory;
import dev.spatz.checkpoint.RunSettings;
import dev.spatz.checkpoint.SavedCheckpoint;
import dev.spatz.dataset.Dataset;
import dev.spatz.dataset.DatasetOptions;
import dev.spatz.dataset.ExampleSet;
import dev.spatz.dataset.TrainingData;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.tokenizer.CharacterTokenizer;
import dev.spatz.tokenizer.ChatTemplate;
import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.training.Cancellation;
import dev.spatz.training.CheckpointConfig;
import dev.spatz.training.ResumeConfig;
import dev.spatz.training.TokenizerKind;
import dev.spatz.training.TrainingConfig;
import dev.spatz.training.TrainingListener;
import dev.spatz.training.TrainingPlan;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Behind the door's methods that resume: a run's directory → a model as if it had not stopped. */
final class ModelResuming {
  private static final Logger LOG = LoggerFactory.getLogger(ModelResuming.class);

  private final RunDirectory run;
  private final SavedCheckpoint from;
  private final ResumeConfig config;
  private final List<String> changes = new ArrayList<>();

  private ModelResuming(RunDirectory run, SavedCheckpoint from, ResumeConfig config) {
    this.run = run;
    this.from = from;
    this.config = config;
  }

  /** See {@link LanguageModel#resume(Path, ResumeConfig, TrainingListener, Cancellation)}. */
  static LanguageModel resume(
      Path directory, ResumeConfig config, TrainingListener listener, Cancellation cancellation)
      throws IOException {
    try (RunDirectory run = RunDirectory.open(directory)) {
      SavedCheckpoint from = run.newest();
      return new ModelResuming(run, from, config).resume(listener, cancellation);
    }
  }

  private LanguageModel resume(TrainingListener listener, Cancellation cancellation)
      throws IOException {
    LoadedModel loaded = from.load();
    try {
      Tokenizer tokenizer = loaded.tokenizer();
      RunSettings settings = settings(loaded);
      try (TrainingData data = TrainingData.open(run.path(), tokenizer)) {
        Transformer transformer = withShape(loaded.transformer(), settings.plan().model());
        return new TrainingRun(
                data, transformer, tokenizer, settings.base(), loaded.conventions(), run)
            .goOn(from, settings, listener, cancellation);
      }
    } catch (LanguageModel.DivergedException e) {
      throw e; // its model owns the weights
    } catch (Throwable e) {
      loaded.close();
      throw e;
    }
  }

  /** How the run goes on; whatever would change its result is refused, or is allowed to. */
  private RunSettings settings(LoadedModel loaded) throws IOException {
    Tokenizer tokenizer = loaded.tokenizer();
    RunSettings recorded = from.settings();
    KernelBackend kernels = KernelBackend.choose();
    TrainingConfig asked = config.config();
    TrainingPlan before = recorded.plan().withSteps(steps());
    TrainingPlan plan = asked == null ? before.goOn(kernels) : before.goOn(asked, kernels);
    requirePossible(before, plan);
    changes.addAll(before.changes(plan));
    if (!recorded.instructionSet().equals(kernels.instructionSet())) {
      changes.add(
          "instructionSet was " + recorded.instructionSet() + ", is " + kernels.instructionSet());
    }
    if (asked != null) {
      compareTokenizer(asked.tokenizer(), tokenizer);
    }
    String tokens = tokensDigest(loaded);
    RunSettings now = RunSettings.of(plan, tokens, recorded.base(), checkpoints(), threads());
    if (!now.libraryVersion().equals(recorded.libraryVersion())) {
      LOG.warn(
          "the run was begun by version {} of this library, and goes on with version {}",
          recorded.libraryVersion(),
          now.libraryVersion());
    }
    return now;
  }

  /** A number that was asked for is no change that has to be allowed. */
  private long steps() {
    long planned = from.settings().plan().steps();
    long done = from.progress().step();
    if (config.steps() != TrainingConfig.AUTO && config.steps() < done) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "steps (%,d) must not be less than those that are done (%,d)",
              config.steps(),
              done));
    }
    return config.steps() == TrainingConfig.AUTO ? planned : config.steps();
  }

  private static void requirePossible(TrainingPlan before, TrainingPlan now) {
    TransformerConfig shape = before.model().withDropout(0);
    if (!shape.equals(now.model().withDropout(0))) {
      throw new IllegalArgumentException(
          "the shape of a model cannot change, but for its dropout; it was "
              + shape
              + ", and is to be "
              + now.model());
    }
    if (!before.optimizer().getClass().equals(now.optimizer().getClass())) {
      throw new IllegalArgumentException(
          "the kind of the optimizer cannot change; it was "
              + before.optimizer()
              + ", and is to be "
              + now.optimizer());
    }
  }

  private static void compareTokenizer(TokenizerKind asked, Tokenizer tokenizer) {
    // Byte pairs are also what a configuration has that says nothing.
    if (asked == TokenizerKind.CHARACTER && !(tokenizer instanceof CharacterTokenizer)) {
      throw new IllegalArgumentException(
          "the tokenizer cannot change; the run's has byte pairs, not characters");
    }
  }

  /** Settings that the result does not depend on. */
  private CheckpointConfig checkpoints() throws IOException {
    CheckpointConfig asked = config.config() == null ? null : config.config().checkpoints();
    if (asked == null) {
      return from.settings().checkpoints();
    }
    if (!Files.isSameFile(asked.directory(), run.path())) {
      throw new IllegalArgumentException(
          "the checkpoints' directory ("
              + asked.directory()
              + ") must be that of the run that is resumed, "
              + run.path());
    }
    return asked;
  }

  private int threads() {
    if (config.threads() > 0) {
      return config.threads();
    }
    return config.config() == null ? from.settings().threads() : config.config().threads();
  }

  /**
   * SHA-256 of the tokens that the run goes on with, which are then in its directory. All changes
   * are known here, and refused before anything is.
   */
  private String tokensDigest(LoadedModel loaded) throws IOException {
    String recorded = from.settings().tokensDigest();
    if (config.corpus() == null && config.conversations() == null) {
      refuseChanges();
      if (!RunDirectory.tokensDigest(run.path()).equals(recorded)) {
        throw new InvalidFileException(
            run.tokens(),
            "this is not what the run was trained on; give the data, and it is made anew");
      }
      return recorded;
    }
    String text;
    try (TrainingData asked = compared(loaded)) {
      text =
          String.format(
              Locale.ROOT,
              "SHA-256 %s, %,d tokens for training, %,d for validation",
              asked.digest(),
              asked.trainTokens(),
              asked.validationTokens());
    }
    String digest = RunDirectory.tokensDigest(run.compared());
    if (!digest.equals(recorded)) {
      changes.add("the data were others than those that are given (" + text + ")");
    }
    refuseChanges();
    run.takeCompared();
    return digest;
  }

  /** The data that was given, in the run's directory for comparing. */
  private TrainingData compared(LoadedModel loaded) throws IOException {
    Tokenizer tokenizer = loaded.tokenizer();
    DatasetOptions.Validation part = Objects.requireNonNull(config.config()).validation();
    if (config.corpus() != null) {
      DatasetOptions options =
          DatasetOptions.defaults().withValidation(part).withDirectory(run.compared());
      return Dataset.prepare(config.corpus(), tokenizer, options);
    }
    ChatTemplate template = loaded.conventions().template(tokenizer);
    int contextLength = loaded.transformer().config().contextLength();
    ExampleSet examples =
        new ConversationExamples(new AnswerEncoding(tokenizer, template, contextLength), part)
            .read(Objects.requireNonNull(config.conversations()));
    examples.keep(run.compared());
    return examples;
  }

  private void refuseChanges() {
    if (!changes.isEmpty() && !config.changesAllowed()) {
      throw new IllegalArgumentException(
          run.path()
              + ": the run cannot go on exactly: "
              + String.join("; ", changes)
              + "; resume it as it was, or allow changes");
    }
    if (!changes.isEmpty()) {
      LOG.warn("{} goes on with changes: {}", run.path(), String.join("; ", changes));
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
