package dev.spatz.generation;

import java.util.List;

/**
 * How likely a model finds a text.
 *
 * @param tokens the text's tokens in order, each with its log-probability after all before it
 * @param prefixTokens tokens before them, which are not scored
 * @param textBytes bytes of UTF-8 of the text
 */
public record TextScore(List<TokenScore> tokens, int prefixTokens, int textBytes) {
  /** Keeps a copy of the list. */
  public TextScore {
    tokens = List.copyOf(tokens);
  }

  /** The natural logarithm of the text's probability: the sum over its tokens. */
  public double logProbability() {
    return tokens.stream().mapToDouble(TokenScore::logProbability).sum();
  }

  /** The mean log-probability of a token; lower where the text is unusual. */
  public double meanLogProbability() {
    return logProbability() / tokens.size();
  }

  /** {@code e} to the mean loss of a token. */
  public double perplexity() {
    return Math.exp(-meanLogProbability());
  }
}
