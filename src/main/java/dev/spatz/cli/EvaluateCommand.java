package dev.spatz.cli;

import dev.spatz.LanguageModel;
import dev.spatz.dataset.Corpus;
import dev.spatz.dataset.Preferences;
import dev.spatz.generation.Generation;
import dev.spatz.generation.GenerationConfig;
import dev.spatz.generation.LoadOptions;
import dev.spatz.kernel.WeightPrecision;
import dev.spatz.training.Evaluation;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
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
  /** Texts that are written to measure the speed; the fastest counts. */
  private static final int TEXTS = 5;

  private static final GenerationConfig TEXT =
      GenerationConfig.defaults().withMaxNewTokens(200).withStopAtEndOfText(false).withSeed(1);

  @Spec private CommandSpec spec;

  @Parameters(index = "0", paramLabel = "DIR", description = "Directory of the model.")
  private Path directory;

  @Parameters(
      index = "1",
      paramLabel = "FILE",
      description = "A text file, a directory of them, a .csv or a .jsonl file.")
  private Path text;

  @Mixin private WeightOptions weights;

  @Mixin private AdapterOptions adapters;

  @Option(
      names = "--compare-precisions",
      description = "A line for each precision: what it costs, and what it saves.")
  private boolean comparePrecisions;

  @Option(
      names = "--preferences",
      description =
          "The file has pairs of answers (prompt, chosen, rejected): which ones does the model"
              + " find likelier?")
  private boolean preferences;

  @Mixin private CorpusOptions texts;

  @Override
  public Integer call() throws IOException {
    if (preferences) {
      if (comparePrecisions) {
        throw new ParameterException(
            spec.commandLine(), "--compare-precisions is for texts, not for --preferences");
      }
      try (LanguageModel model = LanguageModel.load(directory, weights.options())) {
        spec.commandLine().getOut().println(model.evaluate(Preferences.of(text)));
      }
      return ExitCode.OK;
    }
    Corpus corpus = texts.corpus(List.of(text));
    if (comparePrecisions) {
      compare(corpus);
    } else {
      try (LanguageModel model = adapters.loadModel(directory, weights.options())) {
        print("%s", model.evaluate(corpus));
        print("memory off the heap %s", model.memory());
      }
    }
    return ExitCode.OK;
  }

  private void compare(Corpus corpus) throws IOException {
    print(
        "%-8s %9s %10s %8s %13s %8s",
        "weights", "bits/byte", "perplexity", "cost", "bytes", "tokens/s");
    double float32 = Double.NaN;
    for (WeightPrecision precision : WeightPrecision.values()) {
      String name = precision.name().toLowerCase(Locale.ROOT);
      LoadOptions options = weights.options().withPrecision(precision);
      try (LanguageModel model = adapters.loadModel(directory, options)) {
        Evaluation evaluation = model.evaluate(corpus);
        double perplexity = evaluation.perplexity();
        float32 = precision == WeightPrecision.FLOAT32 ? perplexity : float32;
        double tokensPerSecond = tokensPerSecond(model); // packs the weights
        print(
            "%-8s %9.5f %10.4f %+7.3f%% %,13d %,8.0f",
            name,
            evaluation.bitsPerByte(),
            perplexity,
            100 * (perplexity / float32 - 1),
            model.memory().packedWeights(),
            tokensPerSecond);
      } catch (IllegalStateException e) { // this machine cannot
        print("%-8s %s", name, e.getMessage());
      }
    }
  }

  private static double tokensPerSecond(LanguageModel model) {
    double most = 0;
    for (int i = 0; i < TEXTS; i++) {
      Generation generation = model.complete("", TEXT);
      most = Math.max(most, generation.timing().tokensPerSecond());
    }
    return most;
  }

  private void print(String pattern, Object... values) {
    PrintWriter out = spec.commandLine().getOut();
    out.println(ProgressLine.format(pattern, values));
    out.flush();
  }
}
