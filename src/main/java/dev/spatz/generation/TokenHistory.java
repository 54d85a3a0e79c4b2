package dev.spatz.generation;

import java.nio.IntBuffer;
import java.util.Arrays;

/** The ids of a prompt and of what follows it. */
final class TokenHistory {
  private int[] ids;
  private int length;

  TokenHistory(int... prompt) {
    ids = Arrays.copyOf(prompt, prompt.length + 64);
    length = prompt.length;
  }

  void add(int id) {
    if (length == ids.length) {
      ids = Arrays.copyOf(ids, Math.addExact(length, length));
    }
    ids[length++] = id;
  }

  int length() {
    return length;
  }

  int get(int index) {
    return ids[index];
  }

  /** A copy of the first ones, of which there are so many. */
  int[] first(int count) {
    return Arrays.copyOf(ids, count);
  }

  /** A read-only view. */
  IntBuffer view() {
    return IntBuffer.wrap(ids, 0, length).slice().asReadOnlyBuffer();
  }
}
