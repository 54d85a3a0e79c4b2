package dev.spatz.cli;

import dev.spatz.LanguageModel;
import dev.spatz.generation.GenerationConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** A model's directory → a conversation. */
@Command(
    name = "chat",
    description = {
      "Talks with a model that was taught to answer.",
      "Ctrl-C stops an answer, Ctrl-D ends; /help shows more. Answers the lines of standard input,"
          + " if that is no terminal."
    },
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    usageHelpAutoWidth = true)
final class ChatCommand implements Callable<Integer> {
  private static final int MOST_NEW_TOKENS = 512;
  private static final String PROMPT = "> ";

  @Spec private CommandSpec spec;

  @Parameters(index = "0", paramLabel = "DIR", description = "Directory of the model.")
  private Path directory;

  @Option(
      names = "--system",
      defaultValue = "",
      paramLabel = "TEXT",
      description = "The rules of the conversation (default: none).")
  private String system;

  @Mixin private WeightOptions weights;

  @Mixin private AdapterOptions adapters;

  @Mixin private GenerationOptions options;

  @Override
  public Integer call() throws IOException {
    options.applyTo(GenerationConfig.defaults()); // refuses what is wrong before a model is read
    try (LanguageModel model = LanguageModel.load(directory, weights.options())) {
      GenerationConfig config =
          options.applyTo(roomy(model.generationDefaults())).withAdapters(adapters.load(model));
      if (Terminal.isThere()) {
        try (EditedInput input = new EditedInput(PROMPT)) {
          input.out().println("Ctrl-C stops an answer, Ctrl-D ends; /help shows more.");
          new Chat(model, config, system, input.out()).run(input);
        }
      } else {
        new Chat(model, config, system, spec.commandLine().getOut())
            .run(new PipedInput(Terminal.standardInput()));
      }
    }
    return ExitCode.OK;
  }

  /** An answer may be longer than the text of a model that says nothing of its own. */
  private static GenerationConfig roomy(GenerationConfig own) {
    boolean usual = own.maxNewTokens() == GenerationConfig.defaults().maxNewTokens();
    return usual ? own.withMaxNewTokens(MOST_NEW_TOKENS) : own;
  }
}
