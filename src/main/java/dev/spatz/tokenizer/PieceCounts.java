package dev.spatz.tokenizer;

import java.util.Arrays;

/** How often each pre-token occurs, in the order of their first occurrence. */
final class PieceCounts {
  private byte[][] pieces = new byte[1 << 10][];
  private long[] counts = new long[1 << 10];
  private int size;

  /** Hash table of indices + 1; 0 is a free place. */
  private int[] slots = new int[1 << 12];

  int size() {
    return size;
  }

  /** In UTF-8; the caller must not change them. */
  byte[] piece(int index) {
    return pieces[index];
  }

  long count(int index) {
    return counts[index];
  }

  /** Counts {@code text[start, end)} once more. */
  void add(byte[] text, int start, int end) {
    int slot = slot(text, start, end);
    if (slots[slot] == 0) {
      insert(Arrays.copyOfRange(text, start, end), slot);
    } else {
      counts[slots[slot] - 1]++;
    }
  }

  private void insert(byte[] piece, int slot) {
    if (size == pieces.length) {
      pieces = Arrays.copyOf(pieces, Math.multiplyExact(size, 2));
      counts = Arrays.copyOf(counts, pieces.length);
    }
    pieces[size] = piece;
    counts[size] = 1;
    slots[slot] = ++size;
    if (size * 2L > slots.length) {
      slots = new int[Math.multiplyExact(slots.length, 2)];
      for (int i = 0; i < size; i++) {
        slots[slot(pieces[i], 0, pieces[i].length)] = i + 1;
      }
    }
  }

  private int slot(byte[] text, int start, int end) {
    int mask = slots.length - 1;
    int slot = PieceCache.hash(text, start, end) & mask;
    while (slots[slot] != 0) {
      byte[] piece = pieces[slots[slot] - 1];
      if (Arrays.equals(piece, 0, piece.length, text, start, end)) {
        break;
      }
      slot = slot + 1 & mask;
    }
    return slot;
  }
}
