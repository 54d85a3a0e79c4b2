package dev.spatz.dataset;

import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How {@link Dataset#prepare} makes a data set.
 *
 * @param validation which tokens are the validation part
 * @param threads number of threads that tokenize, at least 1; the result does not depend on it
 * @param directory where the token file is written to stay, or null for a temporary file that is
 *     deleted with {@link Dataset#close()}
 */
public record DatasetOptions(Validation validation, int threads, @Nullable Path directory) {

  /** Which tokens are kept from training, to measure it. */
  public sealed interface Validation {}

  /**
   * The last part of the corpus, by position: of n tokens, the first ⌊(1 − fraction)·n⌋ are for
   * training, computed in exact decimal arithmetic.
   *
   * @param fraction 0 to 1
   */
  public record LastPart(double fraction) implements Validation {
    /**
     * Checks the fraction.
     *
     * @param fraction 0 to 1
     * @throws IllegalArgumentException if it is outside this range
     */
    public LastPart {
      if (!(fraction >= 0 && fraction <= 1)) {
        throw new IllegalArgumentException(
            "validationFraction (" + fraction + ") must be from 0 to 1");
      }
    }
  }

  /**
   * A corpus of its own; the whole other corpus is for training.
   *
   * @param corpus the documents
   */
  public record SeparateCorpus(Corpus corpus) implements Validation {
    /**
     * Checks that there is one.
     *
     * @param corpus the documents
     */
    public SeparateCorpus {
      Objects.requireNonNull(corpus, "corpus");
    }
  }

  /**
   * Checks the values.
   *
   * @param validation which tokens are the validation part
   * @param threads at least 1
   * @param directory a directory, or null for a temporary file
   * @throws IllegalArgumentException if {@code threads} is less than 1
   */
  public DatasetOptions {
    Objects.requireNonNull(validation, "validation");
    if (threads < 1) {
      throw new IllegalArgumentException("threads (" + threads + ") must be at least 1");
    }
  }

  /**
   * The last tenth of the corpus for validation (as nanoGPT does), a thread for each processor, a
   * temporary file.
   *
   * @return these options
   */
  public static DatasetOptions defaults() {
    return new DatasetOptions(new LastPart(0.1), Runtime.getRuntime().availableProcessors(), null);
  }

  /**
   * Takes this last part of the corpus for validation.
   *
   * @param fraction 0 (all is for training) to 1 (all is for validation)
   * @return options that differ in this
   * @throws IllegalArgumentException if the fraction is outside this range
   */
  public DatasetOptions withValidationFraction(double fraction) {
    return new DatasetOptions(new LastPart(fraction), threads, directory);
  }

  /**
   * Takes a corpus of its own for validation, and all of the other for training.
   *
   * @param corpus the documents to measure with
   * @return options that differ in this
   */
  public DatasetOptions withValidationCorpus(Corpus corpus) {
    return new DatasetOptions(new SeparateCorpus(corpus), threads, directory);
  }

  /**
   * Takes this for validation.
   *
   * @param value which tokens
   * @return options that differ in this
   */
  public DatasetOptions withValidation(Validation value) {
    return new DatasetOptions(value, threads, directory);
  }

  /**
   * Tokenizes with this number of threads.
   *
   * @param count at least 1
   * @return options that differ in this
   * @throws IllegalArgumentException if it is less than 1
   */
  public DatasetOptions withThreads(int count) {
    return new DatasetOptions(validation, count, directory);
  }

  /**
   * Writes the token file into this directory, where it stays for {@link Dataset#open}.
   *
   * @param path made if it does not exist
   * @return options that differ in this
   */
  public DatasetOptions withDirectory(Path path) {
    return new DatasetOptions(validation, threads, Objects.requireNonNull(path, "path"));
  }
}
