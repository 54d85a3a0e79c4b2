package dev.spatz.dataset;

import dev.spatz.tokenizer.Message;
import java.util.List;

/**
 * A conversation to learn from.
 *
 * @param messages its turns, one of the model's among them
 * @param place where it stands, for messages to people
 */
public record Conversation(List<Message> messages, String place) {
  /**
   * Keeps a copy of the turns.
   *
   * @throws IllegalArgumentException if the model says nothing in it
   */
  public Conversation {
    messages = List.copyOf(messages);
    if (messages.stream().noneMatch(turn -> turn.byAssistant() && !turn.content().isBlank())) {
      throw new IllegalArgumentException(place + ": the assistant says nothing in it");
    }
  }

  /** A question and its answer. */
  public static Conversation of(String prompt, String completion) {
    return new Conversation(
        List.of(Message.user(prompt), Message.assistant(completion)), "a conversation");
  }
}
