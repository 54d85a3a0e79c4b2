package dev.spatz.dataset;

import dev.spatz.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * Examples to train on and examples to measure with, in memory: each for itself, or in pairs of an
 * answer that is preferred and one that is not.
 */
public final class ExampleSet implements TrainingData {
  /** The name of the file in a directory that examples are kept in. */
  public static final String FILE_NAME = "dataset.examples";

  private final List<List<EncodedExample>> train;
  private final List<List<EncodedExample>> validation;
  private final int groupSize;
  private final int[] textBytes;

  private ExampleSet(
      List<List<EncodedExample>> train,
      List<List<EncodedExample>> validation,
      int groupSize,
      int[] textBytes) {
    this.train = List.copyOf(train);
    this.validation = List.copyOf(validation);
    this.groupSize = groupSize;
    this.textBytes = textBytes;
  }

  /** A set of examples that were encoded with a tokenizer. */
  public static ExampleSet of(
      List<EncodedExample> train, List<EncodedExample> validation, Tokenizer tokenizer) {
    return new ExampleSet(alone(train), alone(validation), 1, Dataset.textBytes(tokenizer));
  }

  private static List<List<EncodedExample>> alone(List<EncodedExample> examples) {
    return examples.stream().map(List::of).toList();
  }

  /**
   * A set of pairs that were encoded with a tokenizer. In each sequence the examples are a chosen
   * one, the rejected one of the same pair, the next chosen one, and so on.
   */
  public static ExampleSet ofPreferences(
      List<EncodedPreference> train, List<EncodedPreference> validation, Tokenizer tokenizer) {
    return new ExampleSet(paired(train), paired(validation), 2, Dataset.textBytes(tokenizer));
  }

  private static List<List<EncodedExample>> paired(List<EncodedPreference> preferences) {
    return preferences.stream().map(pair -> List.of(pair.chosen(), pair.rejected())).toList();
  }

  /** Whether the examples are pairs of which one is preferred. */
  public boolean preferences() {
    return groupSize == 2;
  }

  /**
   * Keeps the examples in a file of a directory, whole or not at all.
   *
   * @param directory made where it is absent
   */
  public void keep(Path directory) throws IOException {
    Files.createDirectories(directory);
    ExampleFile.write(
        directory.resolve(FILE_NAME),
        new ExampleFile.Content(groupSize, textBytes, train, validation));
  }

  /**
   * Reads the examples that were kept in a directory.
   *
   * @param tokenizer that they were encoded with
   * @throws IOException if there are none, the file is broken, or was made with another tokenizer
   */
  static ExampleSet open(Path directory, Tokenizer tokenizer) throws IOException {
    Path file = directory.resolve(FILE_NAME);
    ExampleFile.Content kept = ExampleFile.read(file);
    int[] textBytes = Dataset.textBytes(tokenizer);
    if (!Arrays.equals(kept.textBytes(), textBytes)) {
      throw new IOException(
          file
              + " was made with another tokenizer, of a vocabulary of "
              + kept.textBytes().length
              + "; prepare it anew");
    }
    return new ExampleSet(kept.train(), kept.validation(), kept.groupSize(), textBytes);
  }

  @Override
  public Sequences trainSequences(int contextLength) {
    return new PackedExamples(train, groupSize, contextLength, textBytes);
  }

  @Override
  public Sequences validationSequences(int contextLength) {
    return new PackedExamples(validation, groupSize, contextLength, textBytes);
  }

  @Override
  public void requireWindows(int contextLength) {
    if (train.isEmpty() || validation.isEmpty()) {
      throw new IllegalArgumentException(
          "there are "
              + train.size()
              + (preferences() ? " pairs" : " examples")
              + " to train on and "
              + validation.size()
              + " to measure with; each part needs at least one");
    }
  }

  @Override
  public int vocabularySize() {
    return textBytes.length;
  }

  @Override
  public long trainTokens() {
    return tokens(train);
  }

  @Override
  public long validationTokens() {
    return tokens(validation);
  }

  private static long tokens(List<List<EncodedExample>> groups) {
    return examples(groups).mapToLong(example -> example.ids().length).sum();
  }

  private static Stream<EncodedExample> examples(List<List<EncodedExample>> groups) {
    return groups.stream().flatMap(List::stream);
  }

  @Override
  public long textBytes() {
    return textBytes(train) + textBytes(validation);
  }

  private long textBytes(List<List<EncodedExample>> groups) {
    long bytes = 0;
    for (EncodedExample example : examples(groups).toList()) {
      for (int id : example.ids()) {
        bytes += textBytes[id];
      }
    }
    return bytes;
  }

  /**
   * SHA-256 of all ids and of what is to be predicted, those to train on first, as little-endian
   * 32-bit integers.
   */
  @Override
  public String digest() {
    TextDigest digest = new TextDigest();
    Stream.concat(examples(train), examples(validation))
        .forEach(
            example -> {
              int[] predicted = new int[example.ids().length];
              for (int i = 0; i < predicted.length; i++) {
                predicted[i] = example.predicted()[i] ? 1 : 0;
              }
              digest.ids(example.ids());
              digest.ids(predicted);
            });
    return TextDigest.hexadecimal(digest.digest());
  }

  /** There is nothing to close. */
  @Override
  public void close() {}
}
