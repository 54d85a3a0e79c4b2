package dev.spatz.cli;

import dev.spatz.LanguageModel;
import dev.spatz.generation.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** A model's directory and adapters → a model's directory. */
@Command(
    name = "merge",
    description =
        "Puts adapters into the weights of a model, and saves that as a model of its own.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    usageHelpAutoWidth = true)
final class MergeCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      index = "0",
      paramLabel = "DIR",
      description = "Directory of the model, which stays as it is.")
  private Path directory;

  @Mixin private AdapterOptions adapters;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "DIR",
      description = "Directory for the new model; a model that is there already is replaced.")
  private Path out;

  @Override
  public Integer call() throws IOException {
    if (adapters.isEmpty()) {
      throw new ParameterException(spec.commandLine(), "name what to merge: --adapter DIR");
    }
    try (LanguageModel merged = adapters.loadModel(directory, LoadOptions.defaults())) {
      merged.save(out);
    }
    spec.commandLine().getErr().println("saved in " + out);
    return ExitCode.OK;
  }
}
