package dev.spatz.generation;

import org.jspecify.annotations.Nullable;

/**
 * How text is generated.
 *
 * @param maxNewTokens the most tokens to generate, at least 1
 * @param temperature divides the logits before the draw: below 1 more predictable, above 1 more
 *     varied; 0 always takes the likeliest token
 * @param topK only the k likeliest tokens can be drawn; 0: all
 * @param topP only the likeliest tokens whose probabilities add up to this can be drawn (Holtzman
 *     et al. 2020); in (0, 1], 1: all
 * @param seed of the draws: the same seed gives the same text; null: a new one is drawn, and
 *     reported by the {@link Generation}
 * @param stopAtEndOfText whether the end-of-text token ends the text; otherwise it is generated
 *     over, and adds nothing to the text
 */
public record GenerationConfig(
    int maxNewTokens,
    double temperature,
    int topK,
    double topP,
    @Nullable Long seed,
    boolean stopAtEndOfText) {

  /**
   * Checks each value.
   *
   * @throws IllegalArgumentException if one is out of its range
   */
  public GenerationConfig {
    require(maxNewTokens >= 1, "maxNewTokens", maxNewTokens, "must be at least 1");
    require(
        temperature >= 0 && temperature < Double.POSITIVE_INFINITY,
        "temperature",
        temperature,
        "must be finite and not negative");
    require(topK >= 0, "topK", topK, "must not be negative (0 for all tokens)");
    require(topP > 0 && topP <= 1, "topP", topP, "must be above 0 and at most 1 (1 for all)");
  }

  /** 128 tokens, temperature 0.8, the likeliest 95 %, a new seed each time, stops at the end. */
  public static GenerationConfig defaults() {
    return new GenerationConfig(128, 0.8, 0, 0.95, null, true);
  }

  /** Always the likeliest token. */
  public static GenerationConfig greedy() {
    return defaults().withTemperature(0);
  }

  /** This configuration with another number of tokens at most. */
  public GenerationConfig withMaxNewTokens(int value) {
    return new GenerationConfig(value, temperature, topK, topP, seed, stopAtEndOfText);
  }

  /** This configuration with another temperature. */
  public GenerationConfig withTemperature(double value) {
    return new GenerationConfig(maxNewTokens, value, topK, topP, seed, stopAtEndOfText);
  }

  /** This configuration with another number of likeliest tokens. */
  public GenerationConfig withTopK(int value) {
    return new GenerationConfig(maxNewTokens, temperature, value, topP, seed, stopAtEndOfText);
  }

  /** This configuration with another sum of probabilities. */
  public GenerationConfig withTopP(double value) {
    return new GenerationConfig(maxNewTokens, temperature, topK, value, seed, stopAtEndOfText);
  }

  /** This configuration with a fixed seed. */
  public GenerationConfig withSeed(long value) {
    return new GenerationConfig(maxNewTokens, temperature, topK, topP, value, stopAtEndOfText);
  }

  /** This configuration, stopping at the end-of-text token or not. */
  public GenerationConfig withStopAtEndOfText(boolean value) {
    return new GenerationConfig(maxNewTokens, temperature, topK, topP, seed, value);
  }

  private static void require(boolean holds, String name, Object value, String rule) {
    if (!holds) {
      throw new IllegalArgumentException(name + " (" + value + ") " + rule);
    }
  }
}
