package dev.spatz.kernel;

import org.bytedeco.javacpp.BytePointer;
import org.jspecify.annotations.Nullable;

/** Native memory that is used again at every call, one area for each slot, larger when needed. */
final class NativeScratch implements AutoCloseable {
  private static final int ALIGNMENT = 64;

  private final @Nullable BytePointer[] areas;

  NativeScratch(int slots) {
    areas = new BytePointer[slots];
  }

  /** The address of room for so many floats; contents are left over, or lost when it grew. */
  long floats(int slot, long count) {
    return bytes(slot, count * Float.BYTES);
  }

  long bytes(int slot, long count) {
    BytePointer area = areas[slot];
    if (area == null || area.capacity() < count + ALIGNMENT) {
      if (area != null) {
        area.close();
      }
      area = new BytePointer(count + ALIGNMENT);
      areas[slot] = area;
    }
    return (area.address() + ALIGNMENT - 1) & -ALIGNMENT;
  }

  @Override
  public void close() {
    for (int slot = 0; slot < areas.length; slot++) {
      BytePointer area = areas[slot];
      if (area != null) {
        area.close();
        areas[slot] = null;
      }
    }
  }
}
