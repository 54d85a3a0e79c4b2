package dev.spatz.kernel;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * An operation with its sizes; used again for each look-up, so that looking up allocates nothing.
 */
final class ShapeKey {
  private static final int LENGTH = 17;

  private final long[] values = new long[LENGTH];
  private int count;

  ShapeKey begin(int operation) {
    Arrays.fill(values, 0);
    count = 0;
    return add(operation);
  }

  ShapeKey add(long value) {
    values[count++] = value;
    return this;
  }

  ShapeKey copy() {
    ShapeKey copy = new ShapeKey();
    System.arraycopy(values, 0, copy.values, 0, LENGTH);
    return copy;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ShapeKey key && Arrays.equals(values, key.values);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(values);
  }
}
