package dev.spatz.tokenizer;

import org.jspecify.annotations.Nullable;

/**
 * The ids of recently seen pre-tokens: a fixed number of places, each taken by the last pre-token
 * that hashed to it.
 *
 * <p>Threads share it without locks. Entries are immutable, so a thread that races with another
 * sees an entry whole or not at all; at worst a pre-token is merged again.
 */
final class PieceCache {
  /** Longer pre-tokens are rare, and would let the cache grow. */
  static final int LONGEST = 32;

  /** Full, the cache takes about 8 MB. */
  private static final int PLACES = 1 << 16;

  private final @Nullable Entry[] entries = new Entry[PLACES];

  /** The ids of {@code text[start, end)}, or null. The caller must not change them. */
  int @Nullable [] get(String text, int start, int end, int hash) {
    Entry entry = entries[hash & PLACES - 1];
    return entry != null
            && entry.piece.length() == end - start
            && text.startsWith(entry.piece, start)
        ? entry.ids
        : null;
  }

  void put(String piece, int hash, int[] ids) {
    entries[hash & PLACES - 1] = new Entry(piece, ids);
  }

  static int hash(String text, int start, int end) {
    long hash = 0;
    for (int i = start; i < end; i++) {
      hash = (hash + text.charAt(i)) * 0x9E3779B97F4A7C15L;
    }
    return (int) (hash >>> 32);
  }

  private record Entry(String piece, int[] ids) {}
}
