package dev.spatz.cli;

import dev.spatz.LanguageModel;
import dev.spatz.dataset.Conversation;
import dev.spatz.dataset.Conversations;
import dev.spatz.dataset.Preferences;
import dev.spatz.generation.GenerationConfig;
import dev.spatz.tokenizer.Message;
import dev.spatz.transformer.WeightedAdapter;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** What two models answer to a few prompts that the second was not taught. */
final class BeforeAndAfter {
  private static final int MOST_PROMPTS = 3;
  private static final int VALIDATION_SHARE = 10;
  private static final GenerationConfig ANSWER = GenerationConfig.greedy().withMaxNewTokens(80);

  private final List<Prompt> prompts;

  /** What was said up to a question, the question, and the answer that was to be taught. */
  private record Prompt(List<Message> begun, String question, String answer) {}

  private BeforeAndAfter(List<Prompt> prompts) {
    this.prompts = prompts;
  }

  /**
   * The last questions of conversations, of those to measure with, or else of the last tenth.
   *
   * @throws IOException if they cannot be read or are malformed
   */
  static BeforeAndAfter heldOut(Conversations conversations) throws IOException {
    Conversations others = conversations.validation();
    return others == null
        ? ofLastPart(conversations.read(fault -> {}))
        : ofLast(MOST_PROMPTS, others.read(fault -> {}));
  }

  /** The same of pairs of answers, of which the chosen ones are to be taught. */
  static BeforeAndAfter heldOut(Preferences preferences) throws IOException {
    Preferences others = preferences.validation();
    return others == null ? ofLastPart(chosen(preferences)) : ofLast(MOST_PROMPTS, chosen(others));
  }

  private static List<Conversation> chosen(Preferences preferences) throws IOException {
    return preferences.read(fault -> {}).stream()
        .map(pair -> new Conversation(pair.withChosen(), pair.place()))
        .toList();
  }

  private static BeforeAndAfter ofLastPart(List<Conversation> conversations) {
    int part = Math.max(1, conversations.size() / VALIDATION_SHARE);
    return ofLast(Math.min(MOST_PROMPTS, part), conversations);
  }

  private static BeforeAndAfter ofLast(int most, List<Conversation> conversations) {
    List<Conversation> all = new ArrayList<>(conversations);
    Collections.reverse(all);
    return new BeforeAndAfter(
        all.stream().limit(most).flatMap(one -> lastQuestion(one.messages()).stream()).toList());
  }

  private static List<Prompt> lastQuestion(List<Message> messages) {
    for (int i = messages.size() - 1; i > 0; i--) {
      Message question = messages.get(i - 1);
      if (messages.get(i).byAssistant() && question.role().equals(Message.USER)) {
        return List.of(
            new Prompt(
                messages.subList(0, i - 1), question.content(), messages.get(i).content().strip()));
      }
    }
    return List.of();
  }

  /** Lets both answer, the second with adapters. */
  void show(
      LanguageModel before, LanguageModel after, PrintWriter out, WeightedAdapter... adapters) {
    for (Prompt prompt : prompts) {
      out.println();
      out.println("asked    " + indented(prompt.question));
      out.println("before   " + indented(answer(before, prompt, ANSWER)));
      out.println("after    " + indented(answer(after, prompt, ANSWER.withAdapters(adapters))));
      out.println("wanted   " + indented(prompt.answer));
      out.flush();
    }
  }

  private static String answer(LanguageModel model, Prompt prompt, GenerationConfig config) {
    try {
      return model
          .conversation(prompt.begun.toArray(Message[]::new))
          .say(prompt.question, config, piece -> {})
          .text()
          .strip();
    } catch (IllegalArgumentException e) { // such as a question that fills the context
      return "(" + e.getMessage() + ")";
    }
  }

  /** Further lines under the first. */
  private static String indented(String text) {
    return text.indent(9).strip();
  }
}
