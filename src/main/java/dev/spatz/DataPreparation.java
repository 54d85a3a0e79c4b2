package dev.spatz;

import dev.spatz.checkpoint.TextConventions;
import dev.spatz.dataset.Conversations;
import dev.spatz.dataset.Corpus;
import dev.spatz.dataset.Dataset;
import dev.spatz.dataset.DatasetOptions;
import dev.spatz.dataset.ExampleSet;
import dev.spatz.dataset.Preferences;
import dev.spatz.dataset.TrainingData;
import dev.spatz.dataset.TrainingSource;
import dev.spatz.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Texts, conversations or pairs of answers → data to train on.
 *
 * @param conventions how conversations are spelled
 * @param contextLength which no conversation exceeds
 */
record DataPreparation(Tokenizer tokenizer, TextConventions conventions, int contextLength) {

  /** For a model that there is. */
  static DataPreparation of(LanguageModel model) {
    return new DataPreparation(
        model.tokenizer(), model.conventions, model.config().contextLength());
  }

  /**
   * Prepares data, which the caller closes.
   *
   * @param part what is for validation, where the source does not say
   * @param directory where the data is kept, or null
   * @throws IllegalArgumentException if there is too little, or too much in one conversation
   */
  TrainingData prepare(
      TrainingSource source, DatasetOptions.Validation part, @Nullable Path directory)
      throws IOException {
    TrainingData data =
        source instanceof Corpus corpus
            ? tokens(corpus, part, directory)
            : examples(source, part, directory);
    try {
      data.requireWindows(contextLength);
      return data;
    } catch (IllegalArgumentException e) {
      data.close();
      throw e;
    }
  }

  private Dataset tokens(Corpus corpus, DatasetOptions.Validation part, @Nullable Path directory)
      throws IOException {
    DatasetOptions options = DatasetOptions.defaults().withValidation(part);
    return Dataset.prepare(
        corpus, tokenizer, directory == null ? options : options.withDirectory(directory));
  }

  private ExampleSet examples(
      TrainingSource source, DatasetOptions.Validation part, @Nullable Path directory)
      throws IOException {
    ConversationExamples reader =
        new ConversationExamples(
            new AnswerEncoding(tokenizer, conventions.template(tokenizer), contextLength), part);
    ExampleSet examples =
        source instanceof Preferences preferences
            ? reader.read(preferences)
            : reader.read((Conversations) source);
    if (directory != null) {
      examples.keep(directory);
    }
    return examples;
  }
}
