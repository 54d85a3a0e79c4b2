package dev.spatz.tokenizer;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The ids of recently seen pieces of text: a fixed number of places, each taken by the last piece
 * that hashed to it.
 *
 * <p>Threads share it without locks. Entries are immutable, so a thread that races with another
 * sees an entry whole or not at all; at worst a piece is encoded again.
 */
final class PieceCache {
  /** Longer pieces are rare, and would let the cache grow. */
  static final int LONGEST = 48;

  /** Full, the cache takes about 6 MB. */
  private static final int PLACES = 1 << 16;

  private final @Nullable Entry[] entries = new Entry[PLACES];

  /** The ids of {@code text[start, end)}, or null. The caller must not change them. */
  int @Nullable [] get(byte[] text, int start, int end, int hash) {
    Entry entry = entries[hash & PLACES - 1];
    return entry != null && Arrays.equals(entry.piece, 0, entry.piece.length, text, start, end)
        ? entry.ids
        : null;
  }

  void put(byte[] piece, int hash, int[] ids) {
    entries[hash & PLACES - 1] = new Entry(piece, ids);
  }

  static int hash(byte[] text, int start, int end) {
    long hash = 0;
    for (int i = start; i < end; i++) {
      hash = (hash + text[i]) * 0x9E3779B97F4A7C15L;
    }
    return (int) (hash >>> 32);
  }

  private record Entry(byte[] piece, int[] ids) {}
}
