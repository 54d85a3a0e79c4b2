package dev.spatz.cli;

import dev.spatz.LanguageModel;
import dev.spatz.generation.FinishReason;
import dev.spatz.generation.GeneratedToken;
import dev.spatz.generation.Generation;
import dev.spatz.generation.GenerationConfig;
import dev.spatz.generation.TokenScore;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** A model's directory and a prompt → the prompt, continued. */
@Command(
    name = "generate",
    description = {
      "Continues a text.",
      "What is not given is as the model's generation_config.json says, or else the default."
    },
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    usageHelpAutoWidth = true)
final class GenerateCommand implements Callable<Integer> {
  private static final String STANDARD_INPUT = "-";

  @Spec private CommandSpec spec;

  @Parameters(index = "0", paramLabel = "DIR", description = "Directory of the model.")
  private Path directory;

  @Parameters(
      index = "1",
      paramLabel = "PROMPT",
      description = "The text to continue; - reads it from standard input.")
  private String text;

  @Mixin private WeightOptions weights;

  @Mixin private AdapterOptions adapters;

  @Mixin private GenerationOptions options;

  @Option(
      names = "--alternatives",
      paramLabel = "N",
      description = "List the new tokens below, with their N likeliest alternatives.")
  private @Nullable Integer alternatives;

  @Override
  public Integer call() throws IOException {
    config(GenerationConfig.defaults()); // refuses what is wrong before a model is read
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter notes = spec.commandLine().getErr();
    try (LanguageModel model = LanguageModel.load(directory, weights.options())) {
      String prompt = text.equals(STANDARD_INPUT) ? Terminal.readStandardInput() : text;
      out.print(prompt);
      Generation generation =
          model.complete(
              prompt,
              config(model.generationDefaults()).withAdapters(adapters.load(model)),
              piece -> {
                out.print(piece);
                out.flush();
              });
      out.println();
      out.flush();
      generation.tokens().forEach(token -> notes.println(line(token)));
      notes.println(
          ProgressLine.format(
              "(%,d tokens in, %,d out, %,.0f a second, %s, seed %d)",
              generation.promptTokens(),
              generation.newTokens(),
              generation.timing().tokensPerSecond(),
              words(generation.finishReason()),
              generation.seed()));
    }
    return ExitCode.OK;
  }

  private GenerationConfig config(GenerationConfig given) throws IOException {
    GenerationConfig config = options.applyTo(given);
    return alternatives == null ? config : config.withAlternatives(alternatives);
  }

  /** Why a text ended. */
  static String words(FinishReason reason) {
    return switch (reason) {
      case END_OF_TEXT -> "the text ended";
      case MAX_NEW_TOKENS -> "the most new tokens";
      case CONTEXT_FULL -> "the context is full";
      case STOP_STRING -> "a stop string";
      case DEADLINE -> "the time is over";
      case CANCELLED -> "interrupted";
      case NOTHING_ALLOWED -> "every token is forbidden";
      case CONSTRAINT_MET -> "the text has its form";
      case CONSTRAINT_UNFINISHED -> "cut before the text had its form";
    };
  }

  private static String line(GeneratedToken token) {
    return score(token.chosen())
        + token.alternatives().stream()
            .map(GenerateCommand::score)
            .collect(Collectors.joining(" | ", " of ", ""));
  }

  private static String score(TokenScore token) {
    String shown = token.text().replace("\n", "\\n").replace("\t", "\\t");
    return String.format(
        Locale.ROOT,
        "'%s' (%d) %.1f %%",
        shown,
        token.id(),
        100 * Math.exp(token.logProbability()));
  }
}
