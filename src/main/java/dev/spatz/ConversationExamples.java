package dev.spatz;

import dev.spatz.dataset.Conversation;
import dev.spatz.dataset.Conversations;
import dev.spatz.dataset.DatasetOptions;
import dev.spatz.dataset.EncodedExample;
import dev.spatz.dataset.EncodedPreference;
import dev.spatz.dataset.ExampleSet;
import dev.spatz.dataset.Preference;
import dev.spatz.dataset.Preferences;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Conversations, or pairs of answers → examples to train on and to measure with.
 *
 * @param part what is for validation, where the data do not say
 */
record ConversationExamples(AnswerEncoding encoding, DatasetOptions.Validation part) {

  /** Two parts of the data. */
  private record Split<T>(List<T> train, List<T> validation) {}

  /**
   * Reads conversations.
   *
   * @throws IllegalArgumentException if one exceeds the context and faults are not left out, or a
   *     corpus is named for validation
   */
  ExampleSet read(Conversations conversations) throws IOException {
    List<EncodedExample> train = encode(conversations);
    Conversations others = conversations.validation();
    Split<EncodedExample> split =
        others == null ? split(train) : new Split<>(train, encode(others));
    encoding.report("conversations", split.train.size(), split.validation.size());
    return ExampleSet.of(split.train, split.validation, encoding.tokenizer());
  }

  private List<EncodedExample> encode(Conversations conversations) throws IOException {
    List<EncodedExample> examples = new ArrayList<>();
    for (Conversation conversation : conversations.read(encoding::leaveOut)) {
      EncodedExample example = encoding.allAnswers(conversation.messages(), conversation.place());
      if (encoding.fits(example, conversation.place(), conversations.faultsSkipped())) {
        examples.add(example);
      }
    }
    return examples;
  }

  /**
   * Reads pairs of answers.
   *
   * @throws IllegalArgumentException if one exceeds the context and faults are not left out, or a
   *     corpus is named for validation
   */
  ExampleSet read(Preferences preferences) throws IOException {
    List<EncodedPreference> train = encode(preferences);
    Preferences others = preferences.validation();
    Split<EncodedPreference> split =
        others == null ? split(train) : new Split<>(train, encode(others));
    encoding.report("pairs of answers", split.train.size(), split.validation.size());
    return ExampleSet.ofPreferences(split.train, split.validation, encoding.tokenizer());
  }

  private List<EncodedPreference> encode(Preferences preferences) throws IOException {
    List<EncodedPreference> pairs = new ArrayList<>();
    boolean skipping = preferences.faultsSkipped();
    for (Preference preference : preferences.read(encoding::leaveOut)) {
      EncodedExample chosen = encoding.lastAnswer(preference.withChosen(), preference.place());
      EncodedExample rejected = encoding.lastAnswer(preference.withRejected(), preference.place());
      if (encoding.fits(chosen, preference.place(), skipping)
          && encoding.fits(rejected, preference.place(), skipping)) {
        pairs.add(new EncodedPreference(chosen, rejected));
      }
    }
    return pairs;
  }

  private <T> Split<T> split(List<T> all) {
    if (!(part instanceof DatasetOptions.LastPart last)) {
      throw new IllegalArgumentException(
          "a validation corpus is for training on texts; use withValidation of the data");
    }
    int at = (int) Math.floor((1 - last.fraction()) * all.size() + 1e-9);
    return new Split<>(all.subList(0, at), all.subList(at, all.size()));
  }
}
