package dev.spatz.tokenizer;

import java.util.Arrays;

/** How often each pre-token occurs, in the order of their first occurrence. */
final class PieceCounts {
  private String[] pieces = new String[1 << 10];
  private long[] counts = new long[1 << 10];
  private int size;

  /** Hash table of indices + 1; 0 is a free place. */
  private int[] slots = new int[1 << 12];

  int size() {
    return size;
  }

  String piece(int index) {
    return pieces[index];
  }

  long count(int index) {
    return counts[index];
  }

  /** Counts {@code text[start, end)} once more. */
  void add(String text, int start, int end) {
    int slot = slot(text, start, end);
    if (slots[slot] == 0) {
      Utf16.requirePairs(text, start, end);
      insert(text.substring(start, end), slot);
    } else {
      counts[slots[slot] - 1]++;
    }
  }

  private void insert(String piece, int slot) {
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
        slots[slot(pieces[i], 0, pieces[i].length())] = i + 1;
      }
    }
  }

  private int slot(String text, int start, int end) {
    int mask = slots.length - 1;
    int slot = PieceCache.hash(text, start, end) & mask;
    while (slots[slot] != 0 && !equal(pieces[slots[slot] - 1], text, start, end)) {
      slot = slot + 1 & mask;
    }
    return slot;
  }

  private static boolean equal(String piece, String text, int start, int end) {
    return piece.length() == end - start && text.startsWith(piece, start);
  }
}
