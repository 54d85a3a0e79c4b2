package dev.spatz.kernel;

import org.jspecify.annotations.Nullable;

/** Native memory that is used again at every call, one area for each slot, larger when needed. */
final class NativeScratch implements AutoCloseable {
  private final @Nullable NativeBuffer[] areas;

  /** Read by others than the thread that works with it. */
  private volatile long bytes;

  NativeScratch(int slots) {
    areas = new NativeBuffer[slots];
  }

  /** The address of room for so many floats; contents are left over, or lost when it grew. */
  long floats(int slot, long count) {
    return bytes(slot, count * Float.BYTES);
  }

  long bytes(int slot, long count) {
    NativeBuffer area = areas[slot];
    if (area == null || area.capacity() < count) {
      close(slot);
      area = new NativeBuffer(count);
      areas[slot] = area;
      bytes += area.bytes();
    }
    return area.address();
  }

  /** Bytes off the heap of all areas. */
  long bytes() {
    return bytes;
  }

  private void close(int slot) {
    NativeBuffer area = areas[slot];
    if (area != null) {
      areas[slot] = null;
      bytes -= area.bytes();
      area.close();
    }
  }

  @Override
  public void close() {
    for (int slot = 0; slot < areas.length; slot++) {
      close(slot);
    }
  }
}
