package dev.spatz.bench;

import dev.spatz.dataset.Corpus;
import dev.spatz.dataset.Dataset;
import dev.spatz.dataset.DatasetOptions;
import dev.spatz.dataset.TokenizerLearning;
import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.training.Automatic;
import java.io.IOException;
import java.util.function.Consumer;

/**
 * How fast a byte-pair tokenizer is learned from a corpus, and how fast the corpus is encoded, as
 * training does both: the corpus is read as a stream, learning is the work of one thread, encoding
 * of several, and the ids go into a token file. A megabyte is 10⁶ bytes of UTF-8 text.
 *
 * <p>Every run learns a new tokenizer, so that none encodes with what the one before remembers.
 */
public final class TokenizeBenchmark {
  private static final Repetitions REPETITIONS = new Repetitions(1, 5);

  private TokenizeBenchmark() {}

  /**
   * Measures learning and encoding.
   *
   * @param name of the corpus, for people
   * @param threads that encode, at least 1
   * @param report receives each measurement
   * @throws IOException if the corpus cannot be read or is malformed, or the token file not be
   *     written
   * @throws IllegalArgumentException if the corpus has no text, or threads are not positive
   */
  public static void run(String name, Corpus corpus, int threads, Consumer<Measurement> report)
      throws IOException {
    run(name, corpus, threads, REPETITIONS, report);
  }

  static void run(
      String name,
      Corpus corpus,
      int threads,
      Repetitions repetitions,
      Consumer<Measurement> report)
      throws IOException {
    DatasetOptions options = DatasetOptions.defaults().withThreads(threads);
    double[] learning = new double[repetitions.measured()];
    double[] encoding = new double[repetitions.measured()];
    int vocabularySize = 0;
    long bytes = 0;
    long tokens = 0;
    for (int run = -repetitions.warmUp(); run < repetitions.measured(); run++) {
      long start = System.nanoTime();
      Tokenizer tokenizer = TokenizerLearning.bytePair(corpus, Automatic::vocabularySize);
      double learned = Rounds.since(start);
      start = System.nanoTime();
      try (Dataset data = Dataset.prepare(corpus, tokenizer, options)) {
        double encoded = Rounds.since(start);
        if (run >= 0) {
          learning[run] = learned;
          encoding[run] = encoded;
        } else {
          vocabularySize = tokenizer.vocabularySize();
          bytes = data.train().textBytes() + data.validation().textBytes();
          tokens = data.train().length() + data.validation().length();
          requireText(name, bytes);
        }
      }
    }
    String text =
        Measurement.format(
            "%s, %,.1f MB, %,d tokens, vocabulary %,d, ",
            name, bytes / 1e6, tokens, vocabularySize);
    report.accept(
        Measurement.of(
            "learn", text + Measurement.threads(1), "run", learning, speed(bytes, learning)));
    report.accept(
        Measurement.of(
            "encode",
            text + Measurement.threads(threads),
            "run",
            encoding,
            speed(bytes, encoding)));
  }

  private static void requireText(String name, long bytes) {
    if (bytes == 0) {
      throw new IllegalArgumentException(name + " has no text to measure with");
    }
  }

  private static String speed(long bytes, double[] seconds) {
    return Measurement.format("%,8.1f MB/s", bytes / Measurement.median(seconds) / 1e6);
  }
}
