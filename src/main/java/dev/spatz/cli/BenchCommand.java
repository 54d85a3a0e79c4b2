package dev.spatz.cli;

import dev.spatz.bench.BenchmarkPreset;
import dev.spatz.bench.DecodeBenchmark;
import dev.spatz.bench.RecipeBenchmark;
import dev.spatz.bench.ServeBenchmark;
import dev.spatz.bench.TokenizeBenchmark;
import dev.spatz.bench.TrainBenchmark;
import dev.spatz.dataset.Corpus;
import dev.spatz.kernel.Precision;
import dev.spatz.kernel.WeightPrecision;
import dev.spatz.training.TokenizerKind;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The machine → how fast it trains, decodes, serves and tokenizes, a line a measurement. */
@Command(
    name = "bench",
    description = {
      "Measures how fast this machine trains, decodes, serves or tokenizes.",
      "A line has the median and the shortest time, and what follows from the median."
    },
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    usageHelpAutoWidth = true)
final class BenchCommand {
  private static final long SEED = 1;
  private static final double RECIPE_VALIDATION = 0.1;

  @Spec private CommandSpec spec;

  @Command(
      name = "train",
      description = "Training steps on random data, and the matrix product as the machine's peak.",
      mixinStandardHelpOptions = true,
      versionProvider = Main.Version.class,
      usageHelpAutoWidth = true)
  void train(
      @Option(
              names = "--preset",
              defaultValue = "cpu",
              paramLabel = "NAME",
              description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
          BenchmarkPreset preset,
      @Option(
              names = "--steps",
              paramLabel = "N",
              description = "Measured steps (default: 500 of cpu, 9 of baby, 7 of gpt2).")
          @Nullable Integer steps,
      @Option(names = "--threads", paramLabel = "N", description = "Default: the processors.")
          @Nullable Integer threads,
      @Option(
              names = "--precision",
              defaultValue = "float32",
              paramLabel = "NAME",
              description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
          Precision precision)
      throws IOException, InterruptedException {
    TrainBenchmark.run(
        preset,
        steps == null ? TrainBenchmark.defaultSteps(preset) : steps,
        threads == null ? Runtime.getRuntime().availableProcessors() : threads,
        precision,
        this::print);
  }

  @Command(
      name = "decode",
      description =
          "Decoding, one sequence or several together, and how fast the machine reads memory.",
      mixinStandardHelpOptions = true,
      versionProvider = Main.Version.class,
      usageHelpAutoWidth = true)
  void decode(
      @Option(
              names = "--preset",
              defaultValue = "cpu",
              paramLabel = "NAME",
              description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
          BenchmarkPreset preset,
      @Option(
              names = "--sequences",
              defaultValue = "1",
              paramLabel = "N",
              description = "Sequences decoded together (default: ${DEFAULT-VALUE}).")
          int sequences,
      @Option(names = "--threads", paramLabel = "N", description = "Default: the processors.")
          @Nullable Integer threads,
      @Option(
              names = "--precision",
              defaultValue = "float32",
              paramLabel = "NAME",
              description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
          WeightPrecision precision)
      throws InterruptedException {
    DecodeBenchmark.run(
        preset,
        sequences,
        threads == null ? Runtime.getRuntime().availableProcessors() : threads,
        precision,
        this::print);
  }

  @Command(
      name = "serve",
      description =
          "Texts for one caller and for several at once, constrained ones, and a newcomer's wait.",
      mixinStandardHelpOptions = true,
      versionProvider = Main.Version.class,
      usageHelpAutoWidth = true)
  void serve(
      @Option(
              names = "--preset",
              defaultValue = "baby",
              paramLabel = "NAME",
              description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
          BenchmarkPreset preset,
      @Option(
              names = "--callers",
              defaultValue = "8",
              paramLabel = "N",
              description = "Callers at once (default: ${DEFAULT-VALUE}).")
          int callers,
      @Option(names = "--threads", paramLabel = "N", description = "Default: the processors.")
          @Nullable Integer threads,
      @Option(
              names = "--precision",
              defaultValue = "float32",
              paramLabel = "NAME",
              description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
          WeightPrecision precision)
      throws InterruptedException {
    ServeBenchmark.run(
        preset,
        callers,
        threads == null ? Runtime.getRuntime().availableProcessors() : threads,
        precision,
        this::print);
  }

  @Command(
      name = "tokenize",
      description = "Learning a byte-pair tokenizer, and encoding with it.",
      mixinStandardHelpOptions = true,
      versionProvider = Main.Version.class,
      usageHelpAutoWidth = true)
  void tokenize(
      @Parameters(
              arity = "0..1",
              paramLabel = "FILE",
              description =
                  "Text: a file, or a directory of them" + " (default: WordNet's definitions).")
          @Nullable Path file,
      @Option(names = "--threads", paramLabel = "N", description = "Default: the processors.")
          @Nullable Integer threads)
      throws IOException {
    TokenizeBenchmark.run(
        file == null ? "WordNet" : file.toString(),
        file == null ? Corpus.of(WordNet.definitions(SEED)) : Corpus.of(file),
        threads == null ? Runtime.getRuntime().availableProcessors() : threads,
        this::print);
  }

  @Command(
      name = "recipe",
      description = {
        "What each choice of the default recipe buys, at equal time.",
        "Steps are timed first, on an idle machine; the trainings then need not be undisturbed."
      },
      mixinStandardHelpOptions = true,
      versionProvider = Main.Version.class,
      usageHelpAutoWidth = true)
  void recipe(
      @Parameters(
              arity = "0..1",
              paramLabel = "FILE",
              description =
                  "Text: a file, or a directory of them (default: WordNet's definitions).")
          @Nullable Path file,
      @Option(names = "--characters", description = "Tokens are characters, not byte pairs.")
          boolean characters,
      @Option(
              names = "--seconds",
              defaultValue = "60",
              paramLabel = "N",
              description = "Of each training (default: ${DEFAULT-VALUE}).")
          int seconds,
      @Option(
              names = "--seeds",
              defaultValue = "3",
              paramLabel = "N",
              description =
                  "Trainings of each; 0 times the steps alone (default: ${DEFAULT-VALUE}).")
          int seeds,
      @Option(
              names = "--keep",
              paramLabel = "FILE",
              description = "Keeps steps and losses, and goes on with those that are there.")
          @Nullable Path kept)
      throws IOException {
    if (seconds < 1 || seeds < 0) {
      throw new ParameterException(
          spec.commandLine(), "--seconds must be at least 1, and --seeds not negative");
    }
    RecipeBenchmark.run(
        file == null ? Corpus.of(WordNet.definitions(SEED)) : Corpus.of(file),
        characters ? TokenizerKind.CHARACTER : TokenizerKind.BYTE_PAIR,
        file == null ? Demonstration.VALIDATION : RECIPE_VALIDATION,
        Duration.ofSeconds(seconds),
        seeds,
        kept,
        this::print);
  }

  private void print(Object measurement) {
    PrintWriter out = spec.commandLine().getOut();
    out.println(measurement);
    out.flush();
  }
}
