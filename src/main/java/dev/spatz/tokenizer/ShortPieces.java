package dev.spatz.tokenizer;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * A hash table from pieces of at most {@link #LONGEST} bytes to token ids. A piece and its length
 * are 16 bytes, compared as two numbers. Filled once, then read by any number of threads.
 */
final class ShortPieces {
  /** Of 16 bytes, one is the length. */
  static final int LONGEST = 15;

  private static final int ABSENT = -1;
  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private final long[] keys;
  private final int[] ids;
  private final int shift;

  ShortPieces(int size) {
    int bits = 33 - Integer.numberOfLeadingZeros(Math.max(size, 8) - 1);
    keys = new long[2 << bits];
    ids = new int[1 << bits];
    shift = Long.SIZE - bits;
  }

  /** The id of {@code text[start, start + length)}, or a negative number. */
  int get(byte[] text, int start, int length) {
    long low = low(text, start, length);
    long high = high(text, start, length);
    int slot = slot(low, high);
    return keys[2 * slot + 1] == 0 ? ABSENT : ids[slot];
  }

  void put(byte[] piece, int id) {
    long low = low(piece, 0, piece.length);
    long high = high(piece, 0, piece.length);
    int slot = slot(low, high);
    keys[2 * slot] = low;
    keys[2 * slot + 1] = high;
    ids[slot] = id;
  }

  /** The place of a key: where it is, or else a free one, whose second number is 0. */
  private int slot(long low, long high) {
    int slot = (int) ((low + high * 0xD6E8FEB86659FD93L) * 0x9E3779B97F4A7C15L >>> shift);
    while (keys[2 * slot + 1] != 0 && (keys[2 * slot] != low || keys[2 * slot + 1] != high)) {
      slot = slot + 1 & ids.length - 1;
    }
    return slot;
  }

  /** The first 8 bytes; 0 for those that are not there. */
  private static long low(byte[] text, int start, int length) {
    return length >= Long.BYTES ? load(text, start, Long.BYTES) : load(text, start, length);
  }

  /** The other bytes, and behind them the length. */
  private static long high(byte[] text, int start, int length) {
    long rest = length > Long.BYTES ? load(text, start + Long.BYTES, length - Long.BYTES) : 0;
    return rest | (long) length << 56;
  }

  private static long load(byte[] text, int start, int length) {
    if (start + Long.BYTES <= text.length) {
      return (long) LONGS.get(text, start) & -1L >>> Long.SIZE - Byte.SIZE * length;
    }
    long bytes = 0;
    for (int i = length - 1; i >= 0; i--) {
      bytes = bytes << Byte.SIZE | text[start + i] & 0xFF;
    }
    return bytes;
  }
}
