package dev.spatz.cli;

import dev.spatz.LanguageModel;
import dev.spatz.dataset.Conversations;
import dev.spatz.dataset.Preferences;
import dev.spatz.dataset.TrainingSource;
import dev.spatz.generation.LoadOptions;
import dev.spatz.training.PreferenceConfig;
import dev.spatz.training.ResumeConfig;
import dev.spatz.training.TrainingConfig;
import dev.spatz.transformer.LoraConfig;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** A model's directory and texts → a new model's directory. */
@Command(
    name = "finetune",
    description = {
      "Trains a model on with texts, and saves the new model.",
      "Ctrl-C stops early, and saves what there is; with --checkpoints it can be resumed."
    },
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    usageHelpAutoWidth = true)
final class FineTuneCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      index = "0",
      paramLabel = "DIR",
      description = "Directory of the model, which stays as it is.")
  private Path directory;

  @Parameters(
      index = "1..*",
      paramLabel = "CORPUS",
      arity = "0..*",
      description = "Text files, directories of them, .csv or .jsonl files.")
  private List<Path> corpus = List.of();

  @Option(
      names = "--learning-rate",
      paramLabel = "X",
      description =
          "The highest learning rate (default: a tenth of a new model's; an adapter's by its width).")
  private @Nullable Double learningRate;

  @ArgGroup private @Nullable Kind kind;

  @Option(
      names = "--beta",
      paramLabel = "X",
      description =
          "With --preferences: how strongly the model is held to what it was (default: 0.1).")
  private @Nullable Double beta;

  @Option(
      names = "--skip-faults",
      description = "Leave out records that are malformed or too long, instead of stopping.")
  private boolean faultsSkipped;

  @ArgGroup(exclusive = false)
  private @Nullable LoraOptions lora;

  @ArgGroup(exclusive = false)
  private @Nullable ResumeOptions resumption;

  @Mixin private TrainingOptions options;

  /** What the files have. */
  static final class Kind {
    @Option(
        names = "--conversations",
        description = {
          "The files are .json or .jsonl files of conversations (messages, instruction/output or"
              + " prompt/completion); the model learns to answer. Shows answers to a few held-out"
              + " prompts, before and after."
        })
    private boolean conversations;

    @Option(
        names = "--preferences",
        description = {
          "The files are .json or .jsonl files of pairs of answers (prompt, chosen, rejected); the"
              + " model learns which answers are better (DPO). Shows answers as --conversations"
              + " does."
        })
    private boolean preferences;
  }

  @Override
  public Integer call() throws IOException {
    require(
        !corpus.isEmpty() || resumption != null,
        "name the texts to train on, or a run to --resume");
    require(beta == null || ofPreferences(), "--beta is for --preferences");
    require(
        kind != null || !faultsSkipped, "--skip-faults is for --conversations and --preferences");
    if (kind != null) {
      CorpusOptions.requireNone(spec.commandLine());
    }
    boolean settings = kind != null || learningRate != null || lora != null && lora.shaped();
    require(!corpus.isEmpty() || !settings, TrainingOptions.RESUMED_ALONE);
    TrainingConfig config = config();
    LoadOptions loading = lora == null ? LoadOptions.defaults() : lora.base();
    try (LanguageModel model = LanguageModel.load(directory, loading)) {
      BeforeAndAfter samples = samples(); // read before training
      boolean ended = lora == null ? tune(model, config) : tuneAdapter(model, config, lora);
      if (ended && samples != null) {
        show(samples, model);
      }
    }
    return ExitCode.OK;
  }

  private void require(boolean condition, String fault) {
    if (!condition) {
      throw new ParameterException(spec.commandLine(), fault);
    }
  }

  private boolean ofPreferences() {
    return kind != null && kind.preferences;
  }

  private @Nullable BeforeAndAfter samples() throws IOException {
    if (kind == null) {
      return null;
    }
    return kind.preferences
        ? BeforeAndAfter.heldOut(preferences())
        : BeforeAndAfter.heldOut(conversations());
  }

  private boolean tune(LanguageModel model, TrainingConfig config) throws IOException {
    if (resumption != null) {
      Path run = resumption.run();
      ResumeConfig resumed = resumeConfig(resumption, config);
      return run("train --resume ", run)
          .saveModel(
              resumption.beginning(),
              options.reporting(
                  (listener, stop) -> LanguageModel.resume(run, resumed, listener, stop)));
    }
    TrainingSource data = data();
    return run("train --resume ", options.run())
        .saveModel(
            TrainingRun.tokenizing(options.corpus(corpus)),
            options.reporting(
                (listener, stop) -> LanguageModel.fineTune(model, data, config, listener, stop)));
  }

  private boolean tuneAdapter(LanguageModel model, TrainingConfig config, LoraOptions adapter)
      throws IOException {
    String resuming = "finetune " + directory + " " + adapter.again() + " --resume ";
    LoraConfig shape = adapter.config();
    if (resumption != null) {
      Path run = resumption.run();
      ResumeConfig general = resumeConfig(resumption, config);
      ResumeConfig resumed = corpus.isEmpty() ? general : general.withLora(shape);
      return run(resuming, run)
          .saveAdapter(
              resumption.beginning(),
              model,
              options.reporting(
                  (listener, stop) ->
                      LanguageModel.resumeAdapter(model, run, resumed, listener, stop)));
    }
    TrainingSource data = data();
    return run(resuming, options.run())
        .saveAdapter(
            TrainingRun.tokenizing(options.corpus(corpus)),
            model,
            options.reporting(
                (listener, stop) ->
                    LanguageModel.fineTuneAdapter(model, data, config, shape, listener, stop)));
  }

  private TrainingRun run(String resuming, @Nullable Path run) {
    return new TrainingRun(
        spec.commandLine().getErr(), options.out(), run == null ? null : resuming + run);
  }

  private ResumeConfig resumeConfig(ResumeOptions given, TrainingConfig config) {
    return given.applyTo(
        corpus.isEmpty()
            ? ResumeConfig.defaults().withSteps(options.onlySteps())
            : ResumeConfig.defaults().withData(data(), config));
  }

  private TrainingConfig config() throws IOException {
    TrainingConfig defaults = TrainingConfig.defaults();
    TrainingConfig config =
        kind == null ? options.applyToTexts(defaults) : options.applyTo(defaults);
    if (learningRate != null) {
      config = config.withLearningRate(learningRate);
    }
    return beta == null
        ? config
        : config.withPreference(PreferenceConfig.defaults().withBeta(beta));
  }

  private void show(BeforeAndAfter samples, LanguageModel model) throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    if (lora == null) {
      try (LanguageModel tuned = LanguageModel.load(options.out())) {
        samples.show(model, tuned, out);
      }
    } else {
      samples.show(model, model, out, model.loadAdapter(options.out()).weighted(1));
    }
  }

  private TrainingSource data() {
    if (kind == null) {
      return options.corpus(corpus);
    }
    return kind.preferences ? preferences() : conversations();
  }

  private Preferences preferences() {
    Preferences all = preferences(corpus.toArray(Path[]::new));
    Path measure = options.validation();
    return measure == null ? all : all.withValidation(preferences(measure));
  }

  private Preferences preferences(Path... files) {
    Preferences all = Preferences.of(files);
    return faultsSkipped ? all.skippingFaults() : all;
  }

  private Conversations conversations() {
    Conversations all = conversations(corpus.toArray(Path[]::new));
    Path measure = options.validation();
    return measure == null ? all : all.withValidation(conversations(measure));
  }

  private Conversations conversations(Path... files) {
    Conversations all = Conversations.of(files);
    return faultsSkipped ? all.skippingFaults() : all;
  }
}
