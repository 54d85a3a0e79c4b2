package dev.spatz.cli;

import dev.spatz.dataset.Corpus;
import dev.spatz.kernel.Precision;
import dev.spatz.report.TrainingReport;
import dev.spatz.training.StepGuard;
import dev.spatz.training.TrainingConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Texts, how long to train on them, and where the model goes. */
final class TrainingOptions {
  /** What is wrong with settings for a run that is resumed without its data. */
  static final String RESUMED_ALONE =
      "a run is resumed with its own settings; give its texts too, to have others compared";

  private static final long MILLIS_PER_MINUTE = 60_000;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "DIR",
      description = "Directory for the model; a model that is there already is replaced.")
  private Path out;

  @Option(
      names = "--validation",
      paramLabel = "FILE",
      description =
          "What to measure the model with, a file of the kind that it is trained on (default: the"
              + " last tenth of the corpus).")
  private @Nullable Path validation;

  @ArgGroup private @Nullable Length length;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Seed of all random choices (default: 1).")
  private @Nullable Long seed;

  @Option(
      names = "--precision",
      defaultValue = "auto",
      paramLabel = "NAME",
      description =
          "Of the matrix products: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE},"
              + " bfloat16 where it is faster).")
  private Precision precision;

  @Option(
      names = "--faulty-steps",
      paramLabel = "ACTION",
      description =
          "What to do with a step whose loss is a spike, or not finite: ${COMPLETION-CANDIDATES}"
              + " (default: SKIP, which leaves the weights as they are).")
  private StepGuard.@Nullable Action faultySteps;

  @Option(
      names = "--report",
      paramLabel = "DIR",
      description = "Directory for metrics.jsonl and report.html, curves and samples of the run.")
  private @Nullable Path report;

  @ArgGroup(exclusive = false)
  private @Nullable CheckpointOptions checkpoints;

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

  /** Where the model goes. */
  Path out() {
    return out;
  }

  /** A training, with a report of it if one is wanted. */
  <T> TrainingRun.Training<T> reporting(TrainingRun.Training<T> training) {
    if (report == null) {
      return training;
    }
    return (listener, cancellation) -> {
      try (TrainingReport pages = TrainingReport.into(report)) {
        return training.run(listener.and(pages), cancellation);
      }
    };
  }

  /** Where checkpoints are kept, or null. */
  @Nullable Path run() {
    return checkpoints == null ? null : checkpoints.directory();
  }

  /** The texts of these files. */
  Corpus corpus(List<Path> files) {
    return texts.corpus(files);
  }

  /** The file to measure the model with, or null for a part of the corpus. */
  @Nullable Path validation() {
    return validation;
  }

  /** A configuration with what the options say of training on texts. */
  TrainingConfig applyToTexts(TrainingConfig given) throws IOException {
    TrainingConfig config = applyTo(given);
    if (validation == null) {
      return config;
    }
    Corpus measure = texts.corpus(List.of(validation));
    measure.sizeInBytes(); // finds out now whether it is there
    return config.withValidationCorpus(measure);
  }

  /** A configuration with what the options say, but for what it is measured with. */
  TrainingConfig applyTo(TrainingConfig given) {
    TrainingConfig config = given.withPrecision(precision);
    if (seed != null) {
      config = config.withSeed(seed);
    }
    if (faultySteps != null) {
      config = config.withGuard(config.guard().withAction(faultySteps));
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
    return checkpoints == null ? config : checkpoints.applyTo(config);
  }

  /** The steps alone, 0 if they are not given; refuses all else that says how to train. */
  long onlySteps() {
    boolean more =
        validation != null
            || seed != null
            || faultySteps != null
            || precision != Precision.AUTO
            || checkpoints != null
            || length != null && length.minutes != null;
    if (more) {
      throw new ParameterException(spec.commandLine(), RESUMED_ALONE);
    }
    return length == null || length.steps == null ? TrainingConfig.AUTO : length.steps;
  }

  private void require(boolean positive, String option, Number value) {
    if (!positive) {
      throw new ParameterException(
          spec.commandLine(), option + " (" + value + ") must be positive");
    }
  }
}
