package dev.spatz.generation;

import java.util.List;

/**
 * A token that was generated.
 *
 * @param chosen the token
 * @param alternatives the likeliest tokens at its place, by falling probability; the chosen one may
 *     be among them
 */
public record GeneratedToken(TokenScore chosen, List<TokenScore> alternatives) {
  /** Keeps a copy of the list. */
  public GeneratedToken {
    alternatives = List.copyOf(alternatives);
  }
}
