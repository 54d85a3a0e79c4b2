package dev.spatz.dataset;

/**
 * What a model is trained on and measured with. Safe for use by many threads; its owner closes it.
 */
public sealed interface TrainingData extends AutoCloseable permits Dataset, ExampleSet {

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
