package dev.spatz.generation;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What ends a text, besides the most new tokens and a full context.
 *
 * @param atEndOfText whether the end-of-text token ends it; otherwise it is generated over, and
 *     adds nothing to the text
 * @param tokens ids that end it too, and are not shown
 * @param strings the first of these to be complete ends the text before it; where several are
 *     complete with the same character, the longest
 * @param deadline the longest time from the call to the last token, null for none; the time that it
 *     waits for its turn counts
 */
public record Stopping(
    boolean atEndOfText, Set<Integer> tokens, List<String> strings, @Nullable Duration deadline) {
  /** The end-of-text token alone. */
  public static final Stopping AT_END_OF_TEXT = new Stopping(true, Set.of(), List.of(), null);

  /**
   * Checks each value.
   *
   * @throws IllegalArgumentException if an id is negative, a string is empty or has an unpaired
   *     surrogate, or the deadline is not positive
   */
  public Stopping {
    tokens = Set.copyOf(tokens);
    strings = List.copyOf(strings);
    for (int id : tokens) {
      Require.that(id >= 0, "stop token", id, "must not be negative");
    }
    for (String string : strings) {
      Require.that(!string.isEmpty(), "stop string", string, "must not be empty");
      Require.that(
          StandardCharsets.UTF_8.newEncoder().canEncode(string),
          "stop string",
          string,
          "must be well-formed; it has an unpaired surrogate");
    }
    Require.that(
        deadline == null || !deadline.isNegative() && !deadline.isZero(),
        "deadline",
        String.valueOf(deadline),
        "must be positive");
  }

  /** This, with the end-of-text token ending the text or not. */
  public Stopping withAtEndOfText(boolean value) {
    return new Stopping(value, tokens, strings, deadline);
  }

  /** This, with other ids that end the text. */
  public Stopping withTokens(Set<Integer> values) {
    return new Stopping(atEndOfText, values, strings, deadline);
  }

  /** This, with other strings that end the text. */
  public Stopping withStrings(List<String> values) {
    return new Stopping(atEndOfText, tokens, values, deadline);
  }

  /** This, with another longest time, null for none. */
  public Stopping withDeadline(@Nullable Duration value) {
    return new Stopping(atEndOfText, tokens, strings, value);
  }
}
