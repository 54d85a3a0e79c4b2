package dev.spatz.generation;

import dev.spatz.tokenizer.ChatTemplate;
import dev.spatz.tokenizer.Message;
import dev.spatz.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Consumer;

/**
 * A conversation with a model, turn by turn. Each turn is spelled by the model's template after all
 * earlier ones, questions and answers, whose work the model's prefix cache spares: it reads what is
 * new, and the last block of 64 tokens where that is not whole. Used by one thread at a time; there
 * is nothing to close.
 */
public final class Conversation {
  private final Generator generator;
  private final Tokenizer tokenizer;
  private final ChatTemplate template;
  private final GenerationConfig defaults;
  private final Set<Integer> ends;
  private final int contextLength;
  private final boolean trimming;
  private final List<Message> messages;

  /**
   * A conversation that has begun with some messages.
   *
   * @param defaults how it answers where nobody says otherwise
   * @param ends ids that end a text of the model, besides the tokenizer's own and the template's
   * @param contextLength of the model
   */
  public Conversation(
      Generator generator,
      Tokenizer tokenizer,
      ChatTemplate template,
      GenerationConfig defaults,
      Collection<Integer> ends,
      int contextLength,
      List<Message> messages) {
    this(
        generator,
        tokenizer,
        template,
        defaults,
        ends(ends, template, tokenizer),
        contextLength,
        false,
        messages);
  }

  private static Set<Integer> ends(
      Collection<Integer> more, ChatTemplate template, Tokenizer tokenizer) {
    Set<Integer> ends = new HashSet<>(more);
    ends.addAll(template.endsOfTurn(tokenizer));
    return ends;
  }

  private Conversation(
      Generator generator,
      Tokenizer tokenizer,
      ChatTemplate template,
      GenerationConfig defaults,
      Set<Integer> ends,
      int contextLength,
      boolean trimming,
      List<Message> messages) {
    this.generator = generator;
    this.tokenizer = tokenizer;
    this.template = template;
    this.defaults = defaults;
    this.ends = ends;
    this.contextLength = contextLength;
    this.trimming = trimming;
    this.messages = new ArrayList<>(messages);
  }

  /** The turns so far. */
  public List<Message> messages() {
    return List.copyOf(messages);
  }

  /** A conversation that goes on from here by itself. */
  public Conversation fork() {
    return copy(trimming);
  }

  /**
   * This conversation so far, in one that forgets its oldest turns, but for what the system says,
   * where they would leave no room for an answer.
   */
  public Conversation forgettingOldest() {
    return copy(true);
  }

  private Conversation copy(boolean forgetting) {
    return new Conversation(
        generator, tokenizer, template, defaults, ends, contextLength, forgetting, messages);
  }

  /**
   * Says something and hears the answer, written as the model's defaults say.
   *
   * @throws IllegalArgumentException as {@link #say(String, GenerationConfig, Consumer)}
   * @throws IllegalStateException if the model is closed
   */
  public String say(String text) {
    return say(text, defaults, piece -> {}).text();
  }

  /**
   * Says something and hears the answer, which ends where the template ends a turn, unless {@link
   * GenerationConfig#withStopAtEndOfText} says otherwise.
   *
   * @param config {@code maxNewTokens} is for the answer; less if the context has no more room
   * @param listener is told each piece of the answer, on the calling thread; what it throws ends
   *     the turn, which is then as if it had not been
   * @throws IllegalArgumentException if the conversation leaves no room for an answer in the
   *     context, a character has no id, or the template refuses the conversation; the turn is then
   *     as if it had not been
   * @throws IllegalStateException if the model is closed
   */
  public Generation say(String text, GenerationConfig config, Consumer<String> listener) {
    List<Message> asked = new ArrayList<>(messages);
    asked.add(Message.user(text));
    int[] prompt = template.encodePrompt(tokenizer, asked);
    while (trimming && prompt.length >= contextLength && forgetOldest(asked)) {
      prompt = template.encodePrompt(tokenizer, asked);
    }
    if (prompt.length >= contextLength) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "the conversation of %,d tokens leaves no room in the context of %,d; begin a new one,"
                  + " or use forgettingOldest()",
              prompt.length,
              contextLength));
    }
    Generation answer = generator.generate(prompt, ending(config), listener);
    asked.add(Message.assistant(answer.text().strip()));
    messages.clear();
    messages.addAll(asked);
    return answer;
  }

  /** Forgets the oldest question with its answers; false if there is only the newest. */
  private static boolean forgetOldest(List<Message> asked) {
    int first = 0;
    while (asked.get(first).role().equals(Message.SYSTEM)) {
      first++;
    }
    if (first == asked.size() - 1) {
      return false;
    }
    do {
      asked.remove(first);
    } while (!asked.get(first).role().equals(Message.USER));
    return true;
  }

  private GenerationConfig ending(GenerationConfig config) {
    if (!config.stopping().atEndOfText()) {
      return config;
    }
    Set<Integer> all = new HashSet<>(config.stopping().tokens());
    all.addAll(ends);
    return config.withStopping(config.stopping().withTokens(all));
  }
}
