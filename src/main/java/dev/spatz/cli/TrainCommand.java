package dev.spatz.cli;

import dev.spatz.LanguageModel;
import dev.spatz.dataset.Corpus;
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
  private @Nullable ResumeOptions resumption;

  @Mixin private TrainingOptions options;

  @Override
  public Integer call() throws IOException {
    if (resumption != null) {
      resume(resumption);
    } else if (corpus.isEmpty()) {
      throw new ParameterException(
          spec.commandLine(), "name the texts to train on, or a run to --resume");
    } else {
      train();
    }
    return ExitCode.OK;
  }

  private void train() throws IOException {
    TrainingConfig config = options.applyToTexts(preset.config());
    Corpus texts = options.corpus(corpus);
    run(options.run())
        .saveModel(
            TrainingRun.tokenizing(texts),
            options.reporting(
                (listener, stop) -> LanguageModel.train(texts, config, listener, stop)));
  }

  private void resume(ResumeOptions given) throws IOException {
    ResumeConfig config =
        given.applyTo(
            corpus.isEmpty()
                ? ResumeConfig.defaults().withSteps(options.onlySteps())
                : ResumeConfig.defaults()
                    .withData(options.corpus(corpus), options.applyToTexts(preset.config())));
    run(given.run())
        .saveModel(
            given.beginning(),
            options.reporting(
                (listener, stop) -> LanguageModel.resume(given.run(), config, listener, stop)));
  }

  private TrainingRun run(@Nullable Path directory) {
    String resuming = directory == null ? null : "train --resume " + directory;
    return new TrainingRun(spec.commandLine().getErr(), options.out(), resuming);
  }
}
