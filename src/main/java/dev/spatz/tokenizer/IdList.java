package dev.spatz.tokenizer;

import java.util.Arrays;

/** Token ids in an array that grows. */
final class IdList {
  private int[] ids;
  private int size;

  /**
   * @param characters of the text, of which a token has about three
   */
  IdList(int characters) {
    ids = new int[characters / 3 + 16];
  }

  void add(int id) {
    if (size == ids.length) {
      grow(1);
    }
    ids[size++] = id;
  }

  void addAll(int[] more) {
    if (ids.length - size < more.length) {
      grow(more.length);
    }
    System.arraycopy(more, 0, ids, size, more.length);
    size += more.length;
  }

  private void grow(int atLeast) {
    ids = Arrays.copyOf(ids, Math.addExact(ids.length, Math.max(ids.length / 2, atLeast)));
  }

  int[] toArray() {
    return size == ids.length ? ids : Arrays.copyOf(ids, size);
  }
}
