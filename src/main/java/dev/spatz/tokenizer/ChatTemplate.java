package dev.spatz.tokenizer;

import java.util.List;
import java.util.Objects;

/**
 * How a model's conversations are spelled, as text with special tokens. Immutable and safe for use
 * by many threads.
 *
 * <p>What people say is always ordinary text: the spelling of a special token in a message's
 * content is not taken for one.
 */
public final class ChatTemplate {
  static final String TURN_BEGINS = "<|im_start|>";
  static final String TURN_ENDS = "<|im_end|>";

  /** The special tokens of {@link #chatMl}. */
  public static final List<String> SPECIAL_TOKENS = List.of(TURN_BEGINS, TURN_ENDS);

  private static final String CHAT_ML =
      "{% for message in messages %}"
          + "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
          + "{% endfor %}"
          + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

  private static final String PLAIN =
      "{% for message in messages %}"
          + "{{ message['role'] + ': ' + message['content'] }}"
          + "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{{ '\\n' }}"
          + "{% endfor %}"
          + "{% if add_generation_prompt %}{{ 'assistant:' }}{% endif %}";

  private final String source;
  private final Renderer renderer;

  /** What spells a conversation. */
  interface Renderer {
    /** Adds the pieces of a conversation. */
    void render(List<Message> messages, boolean generationPrompt, RenderedChat to);
  }

  private ChatTemplate(String source, Renderer renderer) {
    this.source = source;
    this.renderer = renderer;
  }

  /**
   * ChatML: each turn between the special tokens {@code <|im_start|>} and {@code <|im_end|>}, its
   * role on the first line.
   */
  public static ChatTemplate chatMl() {
    return new ChatTemplate(CHAT_ML, ChatTemplate::renderChatMl);
  }

  /**
   * Plain text, for tokenizers that have no special tokens for turns: {@code role: content} on a
   * line, and the special token that ends a text after each of the model's turns. A user's text can
   * imitate the beginning of another turn, as it cannot with {@link #chatMl}.
   *
   * @param endOfText the content of the special token that ends a text
   */
  public static ChatTemplate plain(String endOfText) {
    Objects.requireNonNull(endOfText, "endOfText");
    return new ChatTemplate(
        PLAIN, (messages, prompt, to) -> renderPlain(messages, prompt, endOfText, to));
  }

  /** ChatML for a tokenizer that has its special tokens, else plain text. */
  public static ChatTemplate builtIn(Tokenizer tokenizer) {
    List<String> contents = tokenizer.specialTokens().stream().map(SpecialToken::content).toList();
    return contents.containsAll(SPECIAL_TOKENS)
        ? chatMl()
        : plain(RenderedChat.content(tokenizer, tokenizer.endOfText()));
  }

  /** The template in the language Jinja, as {@code tokenizer_config.json} has it. */
  public String source() {
    return source;
  }

  /**
   * Spells a conversation as text, special tokens by their content.
   *
   * @param generationPrompt whether the beginning of the model's next turn follows
   */
  public String render(List<Message> messages, boolean generationPrompt) {
    return rendered(messages, generationPrompt).text();
  }

  /**
   * Turns a conversation into token ids. Special tokens are only those of the template.
   *
   * @param generationPrompt whether the beginning of the model's next turn follows
   * @throws IllegalArgumentException if the tokenizer has no id for a character, or the template
   *     needs a special token that it does not have
   */
  public EncodedChat encode(Tokenizer tokenizer, List<Message> messages, boolean generationPrompt) {
    return rendered(messages, generationPrompt).encode(tokenizer);
  }

  private RenderedChat rendered(List<Message> messages, boolean generationPrompt) {
    RenderedChat to = new RenderedChat();
    renderer.render(messages, generationPrompt, to);
    return to;
  }

  private static void renderChatMl(List<Message> messages, boolean prompt, RenderedChat to) {
    for (Message message : messages) {
      to.special(TURN_BEGINS, false).template(message.role() + "\n");
      to.content(message.content(), message.byAssistant());
      to.special(TURN_ENDS, message.byAssistant()).template("\n");
    }
    if (prompt) {
      to.special(TURN_BEGINS, false).template(Message.ASSISTANT + "\n");
    }
  }

  private static void renderPlain(
      List<Message> messages, boolean prompt, String endOfText, RenderedChat to) {
    for (Message message : messages) {
      to.template(message.role() + ":");
      to.content(" " + message.content(), message.byAssistant());
      if (message.byAssistant()) {
        to.special(endOfText, true);
      }
      to.template("\n");
    }
    if (prompt) {
      to.template(Message.ASSISTANT + ":");
    }
  }
}
