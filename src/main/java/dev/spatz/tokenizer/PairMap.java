package dev.spatz.tokenizer;

import java.util.Arrays;

/** A hash table from pairs of token ids to numbers, without objects for either. */
final class PairMap {
  /** What {@link #get} returns for a pair that is not in the map; greater than any other value. */
  static final int ABSENT = Integer.MAX_VALUE;

  private static final long FREE = -1;

  private long[] keys;
  private int[] values;
  private int size;

  PairMap(int expectedSize) {
    allocate(Integer.highestOneBit(Math.max(8, expectedSize)) * 4);
  }

  static long key(int left, int right) {
    return (long) left << 32 | right;
  }

  int get(long key) {
    return values[slot(key)];
  }

  /** Sets the value of a pair and returns the one before, or {@link #ABSENT}. */
  int put(long key, int value) {
    int slot = slot(key);
    int before = values[slot];
    values[slot] = value;
    if (keys[slot] == FREE) {
      keys[slot] = key;
      if (++size * 2L > keys.length) {
        grow();
      }
    }
    return before;
  }

  private int slot(long key) {
    int mask = keys.length - 1;
    int slot = (int) (key * 0x9E3779B97F4A7C15L >>> 32) & mask;
    while (keys[slot] != key && keys[slot] != FREE) {
      slot = slot + 1 & mask;
    }
    return slot;
  }

  private void grow() {
    long[] oldKeys = keys;
    int[] oldValues = values;
    allocate(Math.multiplyExact(oldKeys.length, 2));
    for (int i = 0; i < oldKeys.length; i++) {
      if (oldKeys[i] != FREE) {
        int slot = slot(oldKeys[i]);
        keys[slot] = oldKeys[i];
        values[slot] = oldValues[i];
      }
    }
  }

  private void allocate(int length) {
    keys = new long[length];
    Arrays.fill(keys, FREE);
    values = new int[length];
    Arrays.fill(values, ABSENT);
  }
}
