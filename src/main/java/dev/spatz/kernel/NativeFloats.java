package dev.spatz.kernel;

import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/**
 * Copies float32 values (and bytes) between addresses and Java arrays, without allocating. Loops
 * over Java arrays are vectorized on every JDK, loops over native memory are not: so arithmetic
 * copies in and out in blocks that stay in the nearest cache.
 */
final class NativeFloats {
  /** Elements of a block. */
  static final int BLOCK = 4096;

  private final Cursor cursor = new Cursor();
  private final Cursor other = new Cursor();
  private final Bytes bytes = new Bytes();
  private final float[] sums = new float[BLOCK];
  private final float[] added = new float[BLOCK];

  /** A pointer that owns nothing and can be moved. */
  static final class Cursor extends FloatPointer {
    Cursor() {
      super((Pointer) null);
    }

    Cursor at(long address) {
      this.address = address;
      return this;
    }
  }

  /** The same, of single bytes. */
  private static final class Bytes extends BytePointer {
    Bytes() {
      super((Pointer) null);
    }

    Bytes at(long address) {
      this.address = address;
      return this;
    }
  }

  void read(long address, float[] into, int offset, int count) {
    cursor.at(address).get(into, offset, count);
  }

  void write(long address, float[] from, int offset, int count) {
    cursor.at(address).put(from, offset, count);
  }

  void readBytes(long address, byte[] into, int count) {
    bytes.at(address).get(into, 0, count);
  }

  void writeBytes(long address, byte[] from, int count) {
    bytes.at(address).put(from, 0, count);
  }

  float get(long address) {
    return cursor.at(address).get(0);
  }

  void put(long address, float value) {
    cursor.at(address).put(0, value);
  }

  void copy(long source, long target, long count) {
    Pointer.memcpy(cursor.at(target), other.at(source), count * Float.BYTES);
  }

  /** Adds to each number of the target the one of the source. */
  void add(long target, long source, int count) {
    for (int from = 0; from < count; from += BLOCK) {
      int some = Math.min(BLOCK, count - from);
      long offset = (long) Float.BYTES * from;
      read(target + offset, sums, 0, some);
      read(source + offset, added, 0, some);
      for (int i = 0; i < some; i++) {
        sums[i] += added[i];
      }
      write(target + offset, sums, 0, some);
    }
  }

  void zero(long address, long count) {
    Pointer.memset(cursor.at(address), 0, count * Float.BYTES);
  }
}
