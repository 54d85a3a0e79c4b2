package dev.spatz.dataset;

/**
 * Sequences of N tokens, each with the targets to predict: drawn one by one for training, or walked
 * in order for evaluation. N is the context length T, or a multiple of it where examples that are
 * compared lie in one sequence. Safe for use by many threads, as long as the data is open.
 */
public sealed interface Sequences permits Windows, PackedExamples {
  /** The target that is not counted in a loss: there is nothing to predict. */
  int NO_TARGET = -1;

  /** {@return N, the number of inputs of a sequence} */
  int length();

  /** {@return the number of sequences that training can draw; may be 0} */
  long starts();

  /** {@return whether training draws each once before it draws one again} */
  boolean inEpochs();

  /**
   * Reads a sequence to train on: N inputs and N targets, from {@code offset} on.
   *
   * @param start 0 to {@code starts() - 1}
   * @param inputs receives N ids
   * @param targets receives N ids or {@link #NO_TARGET}
   * @param offset of the first one in both arrays
   * @throws IndexOutOfBoundsException if there is no such sequence or the arrays have no N places
   *     from {@code offset} on
   * @throws IllegalStateException if the data is closed
   * @throws java.io.UncheckedIOException if a token file is broken
   */
  void sample(long start, int[] inputs, int[] targets, int offset);

  /**
   * {@return the number of targets of a sequence to train on}
   *
   * @param start 0 to {@code starts() - 1}
   */
  int targets(long start);

  /** {@return the number of sequences of the evaluation walk} */
  long count();

  /** {@return the number of targets of the whole evaluation walk} */
  long allTargets();

  /**
   * Reads sequence {@code k} of the evaluation walk into {@code inputs[offset…offset + N - 1]} and
   * {@code targets} at the same indexes. Where nothing is to be predicted, targets are {@link
   * #NO_TARGET}.
   *
   * @param k 0 to {@code count() - 1}
   * @param inputs receives N ids
   * @param targets receives N ids
   * @param offset of the first one in both arrays
   * @return the number of targets
   * @throws IndexOutOfBoundsException if there is no sequence k or the arrays have no N places from
   *     {@code offset} on
   * @throws IllegalStateException if the data is closed
   * @throws java.io.UncheckedIOException if a token file is broken
   */
  int read(long k, int[] inputs, int[] targets, int offset);

  /**
   * {@return the number of examples in sequence {@code k} of the walk, which are the first of its
   * {@link #lengths}; 1 where it is not packed}
   *
   * @param k 0 to {@code count() - 1}
   */
  int examples(long k);

  /**
   * {@return the bytes of text that the targets of an example of the walk stand for}
   *
   * @param k 0 to {@code count() - 1}
   * @param example 0 to {@code examples(k) - 1}
   */
  long textBytes(long k, int example);

  /**
   * Whether the N tokens are several short sequences that know nothing of each other, see {@link
   * #lengths}.
   */
  boolean packed();

  /**
   * {@return the lengths of the sequences that lie in sequence {@code k} one after the other, at
   * most T each, together N; it alone where it is not packed}
   *
   * @param k as for {@link #read} or {@link #sample}
   */
  int[] lengths(long k);
}
