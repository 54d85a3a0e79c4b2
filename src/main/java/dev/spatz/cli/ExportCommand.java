package dev.spatz.cli;

import dev.spatz.LanguageModel;
import dev.spatz.checkpoint.GgufType;
import dev.spatz.generation.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** A model's directory → a GGUF file. */
@Command(
    name = "export",
    description = "Writes a model as a GGUF file, for llama.cpp and what builds on it.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    usageHelpAutoWidth = true)
final class ExportCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(index = "0", paramLabel = "DIR", description = "Directory of the model.")
  private Path directory;

  @Parameters(
      index = "1",
      paramLabel = "FILE",
      description = "The file to write; a GGUF file that is there already is replaced.")
  private Path file;

  @Option(
      names = "--type",
      defaultValue = "F32",
      paramLabel = "TYPE",
      description =
          "How weights are stored, ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}, which loses"
              + " nothing).")
  private GgufType type;

  @Mixin private AdapterOptions adapters;

  @Override
  public Integer call() throws IOException {
    try (LanguageModel model = adapters.loadModel(directory, LoadOptions.defaults())) {
      model.exportGguf(file, type);
    }
    spec.commandLine()
        .getErr()
        .println(ProgressLine.format("wrote %s, %,d bytes", file, Files.size(file)));
    return ExitCode.OK;
  }
}
