package dev.spatz;

import dev.spatz.dataset.Conversation;
import dev.spatz.dataset.Conversations;
import dev.spatz.dataset.DatasetOptions;
import dev.spatz.dataset.EncodedExample;
import dev.spatz.dataset.ExampleSet;
import dev.spatz.tokenizer.ChatTemplate;
import dev.spatz.tokenizer.EncodedChat;
import dev.spatz.tokenizer.Tokenizer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Conversations → examples, as a chat template spells them; what the assistant says counts. */
final class ConversationExamples {
  private static final int MOST_NAMED = 10;
  private static final Logger LOG = LoggerFactory.getLogger(ConversationExamples.class);

  private final Tokenizer tokenizer;
  private final ChatTemplate template;
  private final int contextLength;
  private int leftOut;

  ConversationExamples(Tokenizer tokenizer, ChatTemplate template, int contextLength) {
    this.tokenizer = tokenizer;
    this.template = template;
    this.contextLength = contextLength;
  }

  /**
   * Reads them all.
   *
   * @param part what is for validation, where the conversations do not say
   * @throws IllegalArgumentException if one exceeds the context and faults are not left out, or a
   *     corpus is named for validation
   */
  ExampleSet read(Conversations conversations, DatasetOptions.Validation part) throws IOException {
    List<EncodedExample> train = encode(conversations);
    Conversations others = conversations.validation();
    List<EncodedExample> validation = others == null ? List.of() : encode(others);
    if (others == null) {
      if (!(part instanceof DatasetOptions.LastPart last)) {
        throw new IllegalArgumentException(
            "a validation corpus is for training on texts; use Conversations.withValidation");
      }
      int split = (int) Math.floor((1 - last.fraction()) * train.size() + 1e-9);
      validation = train.subList(split, train.size());
      train = train.subList(0, split);
    }
    if (leftOut > 0) {
      LOG.warn("{} conversations were left out", leftOut);
    }
    LOG.info("{} conversations for training, {} for validation", train.size(), validation.size());
    return ExampleSet.of(train, validation, tokenizer);
  }

  private List<EncodedExample> encode(Conversations conversations) throws IOException {
    List<EncodedExample> examples = new ArrayList<>();
    for (Conversation conversation : conversations.read(this::leaveOut)) {
      EncodedExample example = example(conversation);
      if (example.ids().length - 1 <= contextLength) {
        examples.add(example);
        continue;
      }
      String fault =
          String.format(
              Locale.ROOT,
              "%s: %,d tokens exceed the contextLength (%,d) + 1; leave it out, or train a model"
                  + " with a longer context",
              conversation.place(),
              example.ids().length,
              contextLength);
      if (!conversations.faultsSkipped()) {
        throw new IllegalArgumentException(fault);
      }
      leaveOut(fault);
    }
    return examples;
  }

  private void leaveOut(String fault) {
    leftOut++;
    if (leftOut <= MOST_NAMED) {
      LOG.warn("left out: {}", fault);
    }
  }

  private EncodedExample example(Conversation conversation) {
    EncodedChat chat;
    try {
      chat = template.encodeExample(tokenizer, conversation.messages());
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(conversation.place() + ": " + e.getMessage(), e);
    }
    return new EncodedExample(chat.ids(), chat.byAssistant());
  }
}
