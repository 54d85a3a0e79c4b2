package dev.spatz.cli;

import dev.spatz.LanguageModel;
import dev.spatz.dataset.Corpus;
import dev.spatz.generation.GenerationConfig;
import dev.spatz.training.TrainingConfig;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import picocli.CommandLine.ExitCode;

/** Trains a model on WordNet, saves it, loads it again, and lets it define words. */
final class Demonstration {
  /** The last one is in no dictionary: its definition cannot have been learned by heart. */
  static final List<String> WORDS =
      List.of("sparrow", "umbrella", "courage", "whisper", "flimbering");

  private static final Path DIRECTORY = Path.of("target", "wordnet-model");
  private static final long SEED = 1;

  /** Some 2,400 definitions: enough to measure with, and soon measured. */
  static final double VALIDATION = 0.02;

  /** For the steps; learning the vocabulary and loading come on top. */
  private static final Duration TIME_BUDGET = Duration.ofSeconds(150);

  private final PrintWriter out;
  private final PrintWriter notes;

  Demonstration(PrintWriter out, PrintWriter notes) {
    this.out = out;
    this.notes = notes;
  }

  /** Returns the exit code. */
  int run() throws IOException {
    List<String> definitions = WordNet.definitions(SEED);
    note(
        "%,d definitions of WordNet 3.1; a model learns from 98 %% of them, for about"
            + " 3 minutes (Ctrl-C stops early and saves)",
        definitions.size());
    TrainingConfig config =
        TrainingConfig.defaults()
            .withTimeBudget(TIME_BUDGET)
            .withValidationFraction(VALIDATION)
            .withSeed(SEED);
    Corpus corpus = Corpus.of(definitions);
    if (!new TrainingRun(notes, DIRECTORY, null)
        .saveModel(
            TrainingRun.tokenizing(corpus),
            (listener, stop) -> LanguageModel.train(corpus, config, listener, stop))) {
      return ExitCode.SOFTWARE;
    }
    try (LanguageModel model = LanguageModel.load(DIRECTORY)) {
      note("loaded again; this is what it says (the last word is invented):");
      GenerationConfig generation = GenerationConfig.defaults().withMaxNewTokens(60).withSeed(SEED);
      for (String word : WORDS) {
        String prompt = word + ":";
        out.println(prompt + model.generate(prompt, generation));
        out.flush();
      }
    }
    note(
        "more: mvn -q compile exec:java -Dexec.args=\"generate %s 'pirate:'\"  (or --help)",
        DIRECTORY);
    return ExitCode.OK;
  }

  private void note(String pattern, Object... values) {
    notes.println(ProgressLine.format(pattern, values));
    notes.flush();
  }
}
