package dev.spatz.generation;

/**
 * What was generated.
 *
 * @param text the new text, without the prompt
 * @param promptTokens tokens of the prompt
 * @param newTokens tokens generated, an end-of-text token included
 * @param seed the seed that gives this text again
 * @param finishReason why it stopped
 */
public record Generation(
    String text, int promptTokens, int newTokens, long seed, FinishReason finishReason) {}
