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
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** A model's directory and a text → how well the model predicts it. */
@Command(
    name = "evaluate",
    description = "Measures how well a model predicts a text.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    usageHelpAutoWidth = true)
final class EvaluateCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(index = "0", paramLabel = "DIR", description = "Directory of the model.")
  private Path directory;

  @Parameters(
      index = "1",
      paramLabel = "FILE",
      description = "A text file, a directory of them, a .csv or a .jsonl file.")
  private Path text;

  @Mixin private CorpusOptions texts;

  @Override
  public Integer call() throws IOException {
    try (LanguageModel model = LanguageModel.load(directory)) {
      spec.commandLine().getOut().println(model.evaluate(texts.corpus(List.of(text))));
    }
    return ExitCode.OK;
  }
}
