package dev.spatz.constraint;

import java.util.ArrayList;
import java.util.List;

/** Ranges of code points as sequences of ranges of UTF-8 bytes (after Thompson and Cox). */
final class Utf8 {
  private static final int[] LAST_OF_LENGTH = {0x7F, 0x7FF, 0xFFFF, Character.MAX_CODE_POINT};
  private static final int BITS = 6;

  private Utf8() {}

  /** From {@code first} to {@code last}, 0…255. */
  record ByteRange(int first, int last) {}

  /** Sequences that together match the encodings of a set, each of one to four ranges. */
  static List<List<ByteRange>> sequences(CodePoints set) {
    List<List<ByteRange>> all = new ArrayList<>();
    for (CodePoints.Range range : set.ranges()) {
      split(range.first(), range.last(), all);
    }
    return all;
  }

  /** Splits where the encoding gets longer, and where later bytes do not have their whole range. */
  private static void split(int first, int last, List<List<ByteRange>> into) {
    for (int longest : LAST_OF_LENGTH) {
      if (first <= longest && longest < last) {
        split(first, longest, into);
        split(longest + 1, last, into);
        return;
      }
    }
    int length = encode(first).length;
    for (int i = 1; i < length; i++) {
      int mask = (1 << (BITS * i)) - 1;
      if ((first & ~mask) != (last & ~mask)) {
        if ((first & mask) != 0) {
          split(first, first | mask, into);
          split((first | mask) + 1, last, into);
          return;
        }
        if ((last & mask) != mask) {
          split(first, (last & ~mask) - 1, into);
          split(last & ~mask, last, into);
          return;
        }
      }
    }
    int[] a = encode(first);
    int[] b = encode(last);
    List<ByteRange> sequence = new ArrayList<>();
    for (int i = 0; i < length; i++) {
      sequence.add(new ByteRange(a[i], b[i]));
    }
    into.add(List.copyOf(sequence));
  }

  private static int[] encode(int c) {
    if (c <= LAST_OF_LENGTH[0]) {
      return new int[] {c};
    }
    if (c <= LAST_OF_LENGTH[1]) {
      return new int[] {0xC0 | c >> 6, trail(c)};
    }
    if (c <= LAST_OF_LENGTH[2]) {
      return new int[] {0xE0 | c >> 12, trail(c >> 6), trail(c)};
    }
    return new int[] {0xF0 | c >> 18, trail(c >> 12), trail(c >> 6), trail(c)};
  }

  private static int trail(int bits) {
    return 0x80 | bits & 0x3F;
  }
}
