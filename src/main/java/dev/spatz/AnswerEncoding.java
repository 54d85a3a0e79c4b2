package dev.spatz;

import dev.spatz.dataset.EncodedExample;
import dev.spatz.tokenizer.ChatTemplate;
import dev.spatz.tokenizer.EncodedChat;
import dev.spatz.tokenizer.Message;
import dev.spatz.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Conversations → examples, as a chat template spells them; and a count of those that are too long
 * or faulty.
 */
final class AnswerEncoding {
  private static final int MOST_NAMED = 10;
  private static final Logger LOG = LoggerFactory.getLogger(AnswerEncoding.class);

  private final Tokenizer tokenizer;
  private final ChatTemplate template;
  private final int contextLength;
  private int leftOut;

  AnswerEncoding(Tokenizer tokenizer, ChatTemplate template, int contextLength) {
    this.tokenizer = tokenizer;
    this.template = template;
    this.contextLength = contextLength;
  }

  Tokenizer tokenizer() {
    return tokenizer;
  }

  /**
   * All that the assistant says counts.
   *
   * @param place of the conversation, for messages to people
   */
  EncodedExample allAnswers(List<Message> messages, String place) {
    EncodedChat chat = encode(messages, place);
    return new EncodedExample(chat.ids(), chat.byAssistant());
  }

  /** What the assistant says last counts. */
  EncodedExample lastAnswer(List<Message> messages, String place) {
    EncodedChat chat = encode(messages, place);
    boolean[] counting = chat.byAssistant();
    int from = counting.length;
    while (from > 0 && counting[from - 1]) {
      from--;
    }
    Arrays.fill(counting, 0, from, false);
    return new EncodedExample(chat.ids(), counting);
  }

  private EncodedChat encode(List<Message> messages, String place) {
    try {
      return template.encodeExample(tokenizer, messages);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(place + ": " + e.getMessage(), e);
    }
  }

  /**
   * Whether an example fits into the context.
   *
   * @param skipping whether it is left out where it does not
   * @throws IllegalArgumentException if it does not fit and is not to be left out
   */
  boolean fits(EncodedExample example, String place, boolean skipping) {
    if (example.ids().length - 1 <= contextLength) {
      return true;
    }
    String fault =
        String.format(
            Locale.ROOT,
            "%s: %,d tokens exceed the contextLength (%,d) + 1; leave it out, or train a model"
                + " with a longer context",
            place,
            example.ids().length,
            contextLength);
    if (!skipping) {
      throw new IllegalArgumentException(fault);
    }
    leaveOut(fault);
    return false;
  }

  /** Counts a fault, and names the first ones. */
  void leaveOut(String fault) {
    leftOut++;
    if (leftOut <= MOST_NAMED) {
      LOG.warn("left out: {}", fault);
    }
  }

  /** Says how many there are, and how many were left out. */
  void report(String things, int train, int validation) {
    if (leftOut > 0) {
      LOG.warn("{} {} were left out", leftOut, things);
    }
    LOG.info("{} {} for training, {} for validation", train, things, validation);
  }
}
