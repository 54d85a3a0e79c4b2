package dev.spatz.cli;

import dev.spatz.LanguageModel;
import dev.spatz.generation.RankBy;
import dev.spatz.generation.RankedText;
import java.io.IOException;
import java.io.PrintWriter;
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

/** A model's directory, a prefix and what may follow it → the likeliest first. */
@Command(
    name = "rank",
    description = {
      "Compares texts that may follow a prefix: a line for each, best first, with what it is ranked"
          + " by, and then as score has it."
    },
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    usageHelpAutoWidth = true)
final class RankCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(index = "0", paramLabel = "DIR", description = "Directory of the model.")
  private Path directory;

  @Parameters(index = "1", paramLabel = "PREFIX", description = "What comes before.")
  private String prefix;

  @Parameters(
      index = "2..*",
      arity = "1..*",
      paramLabel = "TEXT",
      description = "What may follow; a space at its beginning counts.")
  private List<String> candidates;

  @Option(
      names = "--by",
      defaultValue = "sum",
      paramLabel = "NAME",
      description = {
        "sum: log-probability (default); per_token, per_byte: its mean; gain: what the prefix adds to"
            + " it."
      })
  private RankBy by;

  @Mixin private WeightOptions weights;

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    try (LanguageModel model = LanguageModel.load(directory, weights.options())) {
      for (RankedText text : model.rank(prefix, candidates, by)) {
        String line = ScoreCommand.line(text.score(), text.text());
        out.println(ProgressLine.format("%12.4f |%s", text.value(), line));
      }
      out.flush();
    }
    return ExitCode.OK;
  }
}
