package dev.spatz.dataset;

import dev.spatz.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What a model is trained on and measured with. Safe for use by many threads; its owner closes it.
 */
public sealed interface TrainingData extends AutoCloseable permits Dataset, ExampleSet {

  /** The names of the files that data is kept in. */
  List<String> FILE_NAMES = List.of(ExampleSet.FILE_NAME, Dataset.FILE_NAME);

  /**
   * The file that data is kept in.
   *
   * @param directory that it was prepared or kept in
   */
  static Path file(Path directory) {
    Path examples = directory.resolve(ExampleSet.FILE_NAME);
    return Files.exists(examples) ? examples : directory.resolve(Dataset.FILE_NAME);
  }

  /**
   * Opens the data that was prepared or kept in a directory; the caller closes it.
   *
   * @throws IOException if there is none, it is broken, or was made with another tokenizer
   */
  static TrainingData open(Path directory, Tokenizer tokenizer) throws IOException {
    return file(directory).endsWith(ExampleSet.FILE_NAME)
        ? ExampleSet.open(directory, tokenizer)
        : Dataset.open(directory, tokenizer);
  }

  /**
   * {@return the sequences to train on}
   *
   * @param contextLength tokens of one
   */
  Sequences trainSequences(int contextLength);

  /**
   * {@return the sequences to measure with}
   *
   * @param contextLength tokens of one
   */
  Sequences validationSequences(int contextLength);

  /**
   * Makes sure that there is a sequence to train on, and something to measure with.
   *
   * @param contextLength the number of tokens in a sequence, at least 1
   * @throws IllegalArgumentException if there is not; the message says what is needed
   */
  void requireWindows(int contextLength);

  /** {@return the size of the vocabulary; every id is smaller} */
  int vocabularySize();

  /** {@return the number of tokens to train on} */
  long trainTokens();

  /** {@return the number of tokens to measure with} */
  long validationTokens();

  /** {@return the bytes of text that all tokens stand for} */
  long textBytes();

  /** {@return SHA-256 of the data, 64 lower-case hexadecimal digits} */
  String digest();

  @Override
  void close();
}
