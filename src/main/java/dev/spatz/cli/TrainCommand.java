package dev.spatz.cli;

import dev.spatz.LanguageModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
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
  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "CORPUS",
      arity = "1..*",
      description = "Text files, directories of them, .csv or .jsonl files.")
  private List<Path> corpus;

  @Option(
      names = "--preset",
      defaultValue = "auto",
      converter = Preset.Converter.class,
      paramLabel = "NAME",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Preset preset;

  @Mixin private TrainingOptions options;

  @Override
  public Integer call() throws IOException {
    TrainingRun run =
        new TrainingRun(spec.commandLine().getErr(), options.reporting(LanguageModel::train));
    run.trainAndSave(options.corpus(corpus), options.applyTo(preset.config()), options.out());
    return ExitCode.OK;
  }
}
