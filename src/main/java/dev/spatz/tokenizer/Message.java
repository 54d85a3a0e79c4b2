package dev.spatz.tokenizer;

/**
 * One turn of a conversation.
 *
 * @param role who speaks: {@value #SYSTEM}, {@value #USER}, {@value #ASSISTANT}, {@value #TOOL}, or
 *     what the model's template knows
 * @param content what is said, well-formed text; a call of a tool too, as the template spells it:
 *     there is no field of its own for it
 */
public record Message(String role, String content) {
  /** The role of who sets the rules. */
  public static final String SYSTEM = "system";

  /** The role of who asks. */
  public static final String USER = "user";

  /** The role of the model. */
  public static final String ASSISTANT = "assistant";

  /** The role of a tool that the model has called. */
  public static final String TOOL = "tool";

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if the role has other characters than letters, digits, {@code
   *     _} and {@code -}, or the content an unpaired surrogate
   */
  public Message {
    if (!role.matches("[\\w-]+")) {
      throw new IllegalArgumentException(
          "role (" + role + ") must be a word, such as system, user or assistant");
    }
    Utf16.requirePairs(content, 0, content.length());
  }

  /** What sets the rules. */
  public static Message system(String content) {
    return new Message(SYSTEM, content);
  }

  /** What the user says. */
  public static Message user(String content) {
    return new Message(USER, content);
  }

  /** What the model says. */
  public static Message assistant(String content) {
    return new Message(ASSISTANT, content);
  }

  /** What a tool has given; the model's template must know the role. */
  public static Message tool(String content) {
    return new Message(TOOL, content);
  }

  /** Whether it is the model's. */
  public boolean byAssistant() {
    return role.equals(ASSISTANT);
  }
}
