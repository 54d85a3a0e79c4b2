package dev.spatz.cli;

import dev.spatz.dataset.Corpus;
import dev.spatz.training.TrainingConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
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
      "Ctrl-C stops early, and saves what there is."
    },
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    usageHelpAutoWidth = true)
final class TrainCommand implements Callable<Integer> {
  private static final long MILLIS_PER_MINUTE = 60_000;

  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "CORPUS",
      arity = "1..*",
      description = "Text files, directories of them, .csv or .jsonl files.")
  private List<Path> corpus;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "DIR",
      description = "Directory for the model; a model that is there already is replaced.")
  private Path out;

  @Option(
      names = "--validation",
      paramLabel = "FILE",
      description = "What to measure the model with (default: the last tenth of the corpus).")
  private @Nullable Path validation;

  @ArgGroup private @Nullable Length length;

  @Option(
      names = "--preset",
      defaultValue = "auto",
      converter = Preset.Converter.class,
      paramLabel = "NAME",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Preset preset;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Seed of the weights and the order of the data (default: 1).")
  private @Nullable Long seed;

  @Mixin private CorpusOptions texts;

  /** How long to train. */
  static final class Length {
    @Option(
        names = "--minutes",
        required = true,
        paramLabel = "N",
        description = "Train for about this time, such as 3 or 0.5.")
    private @Nullable Double minutes;

    @Option(
        names = "--steps",
        required = true,
        paramLabel = "N",
        description = "Train for this number of steps.")
    private @Nullable Long steps;
  }

  @Override
  public Integer call() throws IOException {
    TrainingRun run = new TrainingRun(spec.commandLine().getErr());
    run.trainAndSave(texts.corpus(corpus), config(), out);
    return ExitCode.OK;
  }

  private TrainingConfig config() throws IOException {
    TrainingConfig config = preset.config();
    if (validation != null) {
      Corpus measure = texts.corpus(List.of(validation));
      measure.sizeInBytes(); // finds out now whether it is there
      config = config.withValidationCorpus(measure);
    }
    if (seed != null) {
      config = config.withSeed(seed);
    }
    if (length != null && length.minutes != null) {
      long millis = Math.round(length.minutes * MILLIS_PER_MINUTE);
      require(millis > 0, "--minutes", length.minutes);
      config = config.withSteps(TrainingConfig.AUTO).withTimeBudget(Duration.ofMillis(millis));
    }
    if (length != null && length.steps != null) {
      require(length.steps > 0, "--steps", length.steps);
      config = config.withSteps(length.steps);
    }
    return config;
  }

  private void require(boolean positive, String option, Number value) {
    if (!positive) {
      throw new ParameterException(
          spec.commandLine(), option + " (" + value + ") must be positive");
    }
  }
}
