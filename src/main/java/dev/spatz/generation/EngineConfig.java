package dev.spatz.generation;

import dev.spatz.transformer.Decoder;

/**
 * How many texts a model writes at once, and the memory that they may take.
 *
 * @param mostSequences texts that are written together, 1 to 64; others wait, first come first
 *     served
 * @param mostWaiting texts that may wait beside them, not negative; more are refused
 * @param cacheBytes the most memory for the keys and values of the texts being written, off the
 *     heap; taken as they grow
 * @param prefixCacheBytes the most memory, beside that, for beginnings of texts that further
 *     prompts may share, read or written; the ones used longest ago go first; 0: none are kept
 */
public record EngineConfig(
    int mostSequences, int mostWaiting, long cacheBytes, long prefixCacheBytes) {
  private static final EngineConfig DEFAULTS =
      new EngineConfig(Decoder.MOST_SEQUENCES, 1024, 1L << 30, 1L << 27);

  /**
   * Checks each value.
   *
   * @throws IllegalArgumentException if one is out of its range
   */
  public EngineConfig {
    Require.that(
        mostSequences >= 1 && mostSequences <= Decoder.MOST_SEQUENCES,
        "mostSequences",
        mostSequences,
        "must be from 1 to " + Decoder.MOST_SEQUENCES);
    Require.that(mostWaiting >= 0, "mostWaiting", mostWaiting, "must not be negative");
    Require.that(cacheBytes >= 1, "cacheBytes", cacheBytes, "must be positive");
    Require.that(
        prefixCacheBytes >= 0, "prefixCacheBytes", prefixCacheBytes, "must not be negative");
  }

  /** 64 texts at once, 1,024 waiting, 1 GiB for them and 128 MiB for beginnings. */
  public static EngineConfig defaults() {
    return DEFAULTS;
  }

  /** This configuration with another number of texts at once. */
  public EngineConfig withMostSequences(int value) {
    return new EngineConfig(value, mostWaiting, cacheBytes, prefixCacheBytes);
  }

  /** This configuration with another number of texts that may wait. */
  public EngineConfig withMostWaiting(int value) {
    return new EngineConfig(mostSequences, value, cacheBytes, prefixCacheBytes);
  }

  /** This configuration with another bound of the memory for texts. */
  public EngineConfig withCacheBytes(long value) {
    return new EngineConfig(mostSequences, mostWaiting, value, prefixCacheBytes);
  }

  /** This configuration with another bound of the memory for beginnings. */
  public EngineConfig withPrefixCacheBytes(long value) {
    return new EngineConfig(mostSequences, mostWaiting, cacheBytes, value);
  }
}
