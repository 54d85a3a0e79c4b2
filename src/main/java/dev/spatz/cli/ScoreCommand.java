package dev.spatz.cli;

import dev.spatz.LanguageModel;
import dev.spatz.generation.TextScore;
import dev.spatz.generation.TokenScore;
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

/** A model's directory and texts → how likely the model finds them. */
@Command(
    name = "score",
    description = {
      "Says how likely a model finds texts: a line for each, with the natural logarithm of its"
          + " probability, the same a token, its perplexity, and the text."
    },
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    usageHelpAutoWidth = true)
final class ScoreCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(index = "0", paramLabel = "DIR", description = "Directory of the model.")
  private Path directory;

  @Parameters(index = "1..*", arity = "1..*", paramLabel = "TEXT", description = "Texts.")
  private List<String> texts;

  @Option(
      names = "--prefix",
      paramLabel = "TEXT",
      defaultValue = "",
      description = "Comes before each text, and is not scored itself.")
  private String prefix;

  @Option(names = "--tokens", description = "A line for each token too.")
  private boolean tokens;

  @Mixin private WeightOptions weights;

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    try (LanguageModel model = LanguageModel.load(directory, weights.options())) {
      for (String text : texts) {
        TextScore score = model.score(prefix, text);
        out.println(line(score, text));
        for (TokenScore token : tokens ? score.tokens() : List.<TokenScore>of()) {
          out.println(
              ProgressLine.format("%12.4f  %s", token.logProbability(), shown(token.text())));
        }
        out.flush();
      }
    }
    return ExitCode.OK;
  }

  /** Sum, mean and perplexity of a score, and the text. */
  static String line(TextScore score, String text) {
    return ProgressLine.format(
        "%12.4f %9.4f %12.2f  %s",
        score.logProbability(), score.meanLogProbability(), score.perplexity(), shown(text));
  }

  private static String shown(String text) {
    return "'" + text.replace("\n", "\\n").replace("\t", "\\t") + "'";
  }
}
