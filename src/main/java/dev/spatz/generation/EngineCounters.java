package dev.spatz.generation;

import java.util.concurrent.atomic.AtomicLong;

/**
 * What an engine has done, over all its threads, see {@link EngineStatistics}; and the memory of
 * its thread now, see {@link ModelMemory}.
 */
record EngineCounters(
    AtomicLong steps,
    AtomicLong promptTokens,
    AtomicLong cachedTokens,
    AtomicLong newTokens,
    AtomicLong cacheBytes,
    AtomicLong workspaceBytes) {
  EngineCounters() {
    this(
        new AtomicLong(),
        new AtomicLong(),
        new AtomicLong(),
        new AtomicLong(),
        new AtomicLong(),
        new AtomicLong());
  }

  /** A prompt or a text to be read begins, so many of whose tokens are known. */
  void begun(int tokens, int known) {
    promptTokens.addAndGet(tokens);
    cachedTokens.addAndGet(known);
  }
}
