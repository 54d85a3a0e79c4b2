package dev.spatz.generation;

import java.time.Duration;
import java.util.List;

/**
 * What was generated.
 *
 * @param text the new text, without the prompt
 * @param promptTokens tokens of the prompt
 * @param cachedPromptTokens those of them whose keys and values were shared with an earlier prompt
 * @param newTokens tokens generated, an end-of-text token included
 * @param seed the seed that gives this text again
 * @param finishReason why it stopped
 * @param tokens the generated tokens, if {@link GenerationConfig#alternatives} is set, else none
 * @param timing how long it took
 */
public record Generation(
    String text,
    int promptTokens,
    int cachedPromptTokens,
    int newTokens,
    long seed,
    FinishReason finishReason,
    List<GeneratedToken> tokens,
    Timing timing) {

  /** Keeps a copy of the list. */
  public Generation {
    tokens = List.copyOf(tokens);
  }

  /**
   * How long a generation took, from the call on.
   *
   * @param toFirstToken until the first token was drawn; all of the time if none was
   * @param toLastToken until the last token was drawn
   * @param tokensPerSecond of the tokens after the first; 0 if there are none
   */
  public record Timing(Duration toFirstToken, Duration toLastToken, double tokensPerSecond) {}
}
