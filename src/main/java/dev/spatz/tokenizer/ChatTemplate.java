package dev.spatz.tokenizer;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * How a model's conversations are spelled, as text with special tokens. Immutable and safe for use
 * by many threads.
 *
 * <p>What people say is always ordinary text: the spelling of a special token in a message's
 * content is not taken for one, nor is one that a content would complete.
 */
public final class ChatTemplate {
  static final String TURN_BEGINS = "<|im_start|>";
  static final String TURN_ENDS = "<|im_end|>";

  /** The special tokens of {@link #chatMl}. */
  public static final List<String> SPECIAL_TOKENS = List.of(TURN_BEGINS, TURN_ENDS);

  private static final List<Message> SAMPLE =
      List.of(Message.user("question"), Message.assistant("answer"));

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
  private final Speller speller;

  /** What spells a conversation. */
  interface Speller {
    /** The text, special tokens by their content. */
    String text(List<Message> messages, boolean generationPrompt);

    /**
     * The pieces of the text.
     *
     * @param masked whether they must say what the model says
     */
    RenderedChat pieces(
        List<Message> messages,
        boolean generationPrompt,
        List<SpecialToken> special,
        boolean masked);

    /** Whether it also spells what begins a text, if anything does. */
    boolean beginsText();
  }

  private ChatTemplate(String source, Speller speller) {
    this.source = source;
    this.speller = speller;
  }

  /**
   * ChatML: each turn between the special tokens {@code <|im_start|>} and {@code <|im_end|>}, its
   * role on the first line.
   */
  public static ChatTemplate chatMl() {
    return new ChatTemplate(CHAT_ML, (BuiltIn) ChatTemplate::renderChatMl);
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
    BuiltIn speller = (messages, prompt, to) -> renderPlain(messages, prompt, endOfText, to);
    return new ChatTemplate(PLAIN, speller);
  }

  /** ChatML for a tokenizer that has its special tokens, else plain text. */
  public static ChatTemplate builtIn(Tokenizer tokenizer) {
    List<String> contents = tokenizer.specialTokens().stream().map(SpecialToken::content).toList();
    return contents.containsAll(SPECIAL_TOKENS)
        ? chatMl()
        : plain(RenderedChat.content(tokenizer, tokenizer.endOfText()));
  }

  /**
   * A template in the language Jinja, as models come with.
   *
   * @param beginOfText what it knows as {@code bos_token}; empty for none
   * @param endOfText what it knows as {@code eos_token}; empty for none
   * @throws IllegalArgumentException if it is malformed, or uses what is not implemented
   */
  public static ChatTemplate jinja(String source, String beginOfText, String endOfText) {
    return new ChatTemplate(source, JinjaChat.of(source, beginOfText, endOfText));
  }

  /**
   * This template with more variables, such as {@code tools}.
   *
   * @param variables strings, numbers, booleans, null, and lists and maps of these; special tokens
   *     that they spell are ordinary text
   * @throws IllegalArgumentException if the template is a built-in one, which has none
   */
  public ChatTemplate withVariables(Map<String, ?> variables) {
    if (speller instanceof JinjaChat jinja) {
      return new ChatTemplate(source, jinja.with(variables));
    }
    throw new IllegalArgumentException(
        "the variables "
            + variables.keySet()
            + " are for templates in Jinja, not the built-in ones");
  }

  /** The template in the language Jinja, as {@code tokenizer_config.json} has it. */
  public String source() {
    return source;
  }

  /**
   * Spells a conversation as text, special tokens by their content.
   *
   * @param generationPrompt whether the beginning of the model's next turn follows
   * @throws IllegalArgumentException if a template in Jinja refuses the conversation
   */
  public String render(List<Message> messages, boolean generationPrompt) {
    return speller.text(messages, generationPrompt);
  }

  /**
   * Turns a conversation into token ids. Special tokens are only those of the template.
   *
   * <p>What the model says are the {@code {% generation %}} blocks of a template in Jinja. Where it
   * has none, it is what follows the generation prompt up to the special token that ends the turn;
   * a template for which this cannot be told exactly is refused.
   *
   * @param generationPrompt whether the beginning of the model's next turn follows
   * @throws IllegalArgumentException if the tokenizer has no id for a character, or the template
   *     needs a special token that it does not have; if a template in Jinja refuses the
   *     conversation, or does not tell exactly what the model says
   */
  public EncodedChat encode(Tokenizer tokenizer, List<Message> messages, boolean generationPrompt) {
    return pieces(tokenizer, messages, generationPrompt, true).encode(tokenizer);
  }

  /**
   * A conversation as a model learns from it: after what begins a text, up to the last token that
   * the model says.
   *
   * @throws IllegalArgumentException as {@link #encode}
   */
  public EncodedChat encodeExample(Tokenizer tokenizer, List<Message> messages) {
    EncodedChat chat = encode(tokenizer, messages, false);
    int before = begins(tokenizer, chat.ids()) ? 0 : 1;
    int end = chat.ids().length;
    while (end > 0 && !chat.byAssistant()[end - 1]) {
      end--;
    }
    int[] ids = new int[end + before];
    boolean[] byAssistant = new boolean[end + before];
    if (before > 0) {
      ids[0] = beginOfText(tokenizer);
    }
    System.arraycopy(chat.ids(), 0, ids, before, end);
    System.arraycopy(chat.byAssistant(), 0, byAssistant, before, end);
    return new EncodedChat(ids, byAssistant);
  }

  /**
   * A conversation that a model is to go on with: after what begins a text, up to where its next
   * turn begins.
   *
   * @throws IllegalArgumentException if the tokenizer has no id for a character, or the template
   *     needs a special token that it does not have; if a template in Jinja refuses the
   *     conversation
   */
  public int[] encodePrompt(Tokenizer tokenizer, List<Message> messages) {
    int[] ids = pieces(tokenizer, messages, true, false).encode(tokenizer).ids();
    if (begins(tokenizer, ids)) {
      return ids;
    }
    int[] begun = new int[ids.length + 1];
    begun[0] = beginOfText(tokenizer);
    System.arraycopy(ids, 0, begun, 1, ids.length);
    return begun;
  }

  /** The ids of the special tokens that end a turn of the model. */
  public Set<Integer> endsOfTurn(Tokenizer tokenizer) {
    Set<Integer> ends = new HashSet<>();
    for (SpecialToken special : tokenizer.specialTokens()) {
      if (SPECIAL_TOKENS.contains(special.content())) {
        ends.add(special.id());
      }
    }
    try {
      EncodedChat sample = encode(tokenizer, SAMPLE, false);
      for (SpecialToken special : tokenizer.specialTokens()) {
        for (int i = 0; i < sample.ids().length; i++) {
          if (sample.byAssistant()[i] && sample.ids()[i] == special.id()) {
            ends.add(special.id());
          }
        }
      }
    } catch (IllegalArgumentException e) {
      return ends; // a template that does not tell what the model says
    }
    return ends;
  }

  private RenderedChat pieces(
      Tokenizer tokenizer, List<Message> messages, boolean generationPrompt, boolean masked) {
    return speller.pieces(messages, generationPrompt, tokenizer.specialTokens(), masked);
  }

  private boolean begins(Tokenizer tokenizer, int[] ids) {
    return ids.length > 0 && (speller.beginsText() || ids[0] == beginOfText(tokenizer));
  }

  private static int beginOfText(Tokenizer tokenizer) {
    return tokenizer.beginOfText().orElse(tokenizer.endOfText());
  }

  /** A template that is written in Java. */
  private interface BuiltIn extends Speller {
    void render(List<Message> messages, boolean generationPrompt, RenderedChat to);

    @Override
    default String text(List<Message> messages, boolean generationPrompt) {
      return pieces(messages, generationPrompt, List.of(), true).text();
    }

    @Override
    default RenderedChat pieces(
        List<Message> messages,
        boolean generationPrompt,
        List<SpecialToken> special,
        boolean masked) {
      RenderedChat to = new RenderedChat();
      render(messages, generationPrompt, to);
      return to;
    }

    @Override
    default boolean beginsText() {
      return false;
    }
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
