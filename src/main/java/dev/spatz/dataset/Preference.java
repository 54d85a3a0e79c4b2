package dev.spatz.dataset;

import dev.spatz.tokenizer.Message;
import java.util.ArrayList;
import java.util.List;

/**
 * Two answers of the model to the same prompt, one of them the better one.
 *
 * @param prompt what was said before, at least one turn; the last one is not the model's
 * @param chosen the better answer
 * @param rejected the worse answer
 * @param place where it stands, for messages to people
 */
public record Preference(List<Message> prompt, String chosen, String rejected, String place) {
  /**
   * Keeps a copy of the turns.
   *
   * @throws IllegalArgumentException if there is no prompt, an answer is empty, or both are the
   *     same, or has an unpaired surrogate
   */
  public Preference {
    prompt = List.copyOf(prompt);
    if (prompt.isEmpty() || prompt.get(prompt.size() - 1).byAssistant()) {
      throw new IllegalArgumentException(
          place + ": the prompt must end with a turn to which the assistant answers");
    }
    for (String answer : List.of(chosen, rejected)) {
      Message.assistant(answer); // must be well-formed
    }
    if (chosen.isBlank() || rejected.isBlank()) {
      throw new IllegalArgumentException(
          place + ": the " + (chosen.isBlank() ? "chosen" : "rejected") + " answer is empty");
    }
    if (chosen.equals(rejected)) {
      throw new IllegalArgumentException(place + ": both answers are the same");
    }
  }

  /** Two answers to a question. */
  public static Preference of(String prompt, String chosen, String rejected) {
    return new Preference(List.of(Message.user(prompt)), chosen, rejected, "a preference");
  }

  /** The prompt with the better answer. */
  public List<Message> withChosen() {
    return with(chosen);
  }

  /** The prompt with the worse answer. */
  public List<Message> withRejected() {
    return with(rejected);
  }

  private List<Message> with(String answer) {
    List<Message> all = new ArrayList<>(prompt);
    all.add(Message.assistant(answer));
    return all;
  }
}
