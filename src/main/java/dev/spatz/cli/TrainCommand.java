package dev.spatz.cli;

import dev.spatz.LanguageModel;
import dev.spatz.training.ResumeConfig;
import dev.spatz.training.TrainingConfig;
import java.io.IOException;
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

/** Texts → a model's directory. */
@Command(
    name = "train",
    description = {
      "Trains a new model on texts, and saves it.",
      "Ctrl-C stops early, and saves what there is; with --checkpoints it can be resumed."
    },
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    usageHelpAutoWidth = true)
final class TrainCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "CORPUS",
      arity = "0..*",
      description = "Text files, directories of them, .csv or .jsonl files.")
  private List<Path> corpus = List.of();

  @Option(
      names = "--preset",
      defaultValue = "auto",
      converter = Preset.Converter.class,
      paramLabel = "NAME",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Preset preset;

  @ArgGroup(exclusive = false)
  private @Nullable Resumption resumption;

  @Mixin private TrainingOptions options;

  /** Which run goes on. */
  static final class Resumption {
    @Option(
        names = "--resume",
        required = true,
        paramLabel = "DIR",
        description =
            "Go on with a run of --checkpoints, with its own texts and settings; where those are"
                + " given again, they are compared.")
    private Path run;

    @Option(
        names = "--allow-changes",
        description = "Go on with other texts or settings than the run had.")
    private boolean changesAllowed;
  }

  @Override
  public Integer call() throws IOException {
    TrainingRun run = new TrainingRun(spec.commandLine().getErr());
    if (resumption != null) {
      run.resumeAndSave(resumption.run, resumeConfig(resumption.changesAllowed), options.out());
    } else if (corpus.isEmpty()) {
      throw new ParameterException(
          spec.commandLine(), "name the texts to train on, or a run to --resume");
    } else {
      TrainingConfig config = options.applyTo(preset.config());
      TrainingRun.Training<LanguageModel> training = options.reporting(LanguageModel::train);
      run.trainAndSave(options.corpus(corpus), config, training, options.out());
    }
    return ExitCode.OK;
  }

  private ResumeConfig resumeConfig(boolean changesAllowed) throws IOException {
    ResumeConfig config =
        corpus.isEmpty()
            ? ResumeConfig.defaults().withSteps(options.onlySteps())
            : ResumeConfig.defaults()
                .withData(options.corpus(corpus), options.applyTo(preset.config()));
    return changesAllowed ? config.withChangesAllowed() : config;
  }
}
