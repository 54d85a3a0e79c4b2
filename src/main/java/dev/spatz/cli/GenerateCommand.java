package dev.spatz.cli;

import dev.spatz.LanguageModel;
import dev.spatz.generation.Generation;
import dev.spatz.generation.GenerationConfig;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
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
    description = "Continues a text.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    usageHelpAutoWidth = true)
final class GenerateCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(index = "0", paramLabel = "DIR", description = "Directory of the model.")
  private Path directory;

  @Parameters(index = "1", paramLabel = "PROMPT", description = "The text to continue.")
  private String prompt;

  @Mixin private WeightOptions weights;

  @Option(
      names = "--max-new-tokens",
      paramLabel = "N",
      description = "The most tokens to generate (default: 128).")
  private @Nullable Integer maxNewTokens;

  @Option(
      names = "--temperature",
      paramLabel = "X",
      description = "Lower is more predictable, 0 takes the likeliest token (default: 0.8).")
  private @Nullable Double temperature;

  @Option(
      names = "--top-k",
      paramLabel = "N",
      description = "Draw from the N likeliest tokens (default: 0, all of them).")
  private @Nullable Integer topK;

  @Option(
      names = "--top-p",
      paramLabel = "X",
      description = "Draw from the likeliest tokens with this probability (default: 0.95).")
  private @Nullable Double topP;

  @Option(
      names = "--min-p",
      paramLabel = "X",
      description = "Draw from tokens at least X times as likely as the likeliest (default: 0).")
  private @Nullable Double minP;

  @Option(
      names = "--repetition-penalty",
      paramLabel = "X",
      description = "Above 1 makes the last 64 tokens less likely (default: 1).")
  private @Nullable Double repetitionPenalty;

  @Option(
      names = "--stop",
      paramLabel = "TEXT",
      description = "End before this text; may be given several times.")
  private String @Nullable [] stop;

  @Option(
      names = "--deadline",
      paramLabel = "SECONDS",
      description = "End after this time (default: none).")
  private @Nullable Integer deadline;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "The same seed gives the same text (default: a new one each time).")
  private @Nullable Long seed;

  @ArgGroup private @Nullable ConstraintOptions constraint;

  @Override
  public Integer call() throws IOException {
    GenerationConfig config = config();
    if (constraint != null) {
      config = config.withConstraint(constraint.constraint());
    }
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter notes = spec.commandLine().getErr();
    try (LanguageModel model = LanguageModel.load(directory, weights.options())) {
      out.print(prompt);
      Generation generation =
          model.complete(
              prompt,
              config,
              piece -> {
                out.print(piece);
                out.flush();
              });
      out.println();
      out.flush();
      notes.println(
          ProgressLine.format(
              "(%,d tokens in, %,d out, %s, seed %d)",
              generation.promptTokens(),
              generation.newTokens(),
              switch (generation.finishReason()) {
                case END_OF_TEXT -> "the text ended";
                case MAX_NEW_TOKENS -> "the most new tokens";
                case CONTEXT_FULL -> "the context is full";
                case STOP_STRING -> "a stop string";
                case DEADLINE -> "the time is over";
                case CANCELLED -> "interrupted";
                case NOTHING_ALLOWED -> "every token is forbidden";
                case CONSTRAINT_MET -> "the text has its form";
                case CONSTRAINT_UNFINISHED -> "cut before the text had its form";
              },
              generation.seed()));
    }
    return ExitCode.OK;
  }

  private GenerationConfig config() {
    GenerationConfig config = GenerationConfig.defaults();
    config = maxNewTokens == null ? config : config.withMaxNewTokens(maxNewTokens);
    config = temperature == null ? config : config.withTemperature(temperature);
    config = topK == null ? config : config.withTopK(topK);
    config = topP == null ? config : config.withTopP(topP);
    config = minP == null ? config : config.withMinP(minP);
    if (repetitionPenalty != null) {
      double factor = repetitionPenalty;
      config = config.withPenalties(penalties -> penalties.withRepetition(factor));
    }
    config = stop == null ? config : config.withStopStrings(stop);
    config = deadline == null ? config : config.withDeadline(Duration.ofSeconds(deadline));
    return seed == null ? config : config.withSeed(seed);
  }
}
