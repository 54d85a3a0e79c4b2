package dev.spatz.kernel;

import org.bytedeco.javacpp.FloatPointer;
import org.jspecify.annotations.Nullable;

/**
 * Attention of new rows of a sequence to the keys and values of all its rows so far. Each row is
 * computed alone, by products of one size, so its bits do not depend on how many come at once.
 */
final class OneDnnCachedAttention implements AutoCloseable {
  /** Keys are taken in multiples of this, so that there are few sizes of products. */
  private static final int BLOCK = 64;

  private static final int SCORES = 0;

  private final OneDnnMatmul matmul;
  private final OneDnnSoftmax softmax;
  private final NativeFloats memory;
  private final NativeScratch scratch = new NativeScratch(1);
  private @Nullable FloatPointer mask;
  private int zeros;

  OneDnnCachedAttention(OneDnnMatmul matmul, OneDnnSoftmax softmax, NativeFloats memory) {
    this.matmul = matmul;
    this.softmax = softmax;
    this.memory = memory;
  }

  /** As {@link Kernels#attentionCached}; the caches have room for {@code capacity} rows. */
  void forward(
      long qkv,
      int count,
      AttentionShape shape,
      int position,
      int firstGroup,
      int groups,
      long keyCache,
      long valueCache,
      int capacity,
      long out) {
    long size = shape.headSize();
    long width = shape.rowWidth();
    long firstHead = (long) firstGroup * shape.group() * size;
    long keys = keyCache + 4L * firstGroup * capacity * size;
    long values = valueCache + 4L * firstGroup * capacity * size;
    long newKeys = qkv + 4 * (shape.heads() + firstGroup) * size;
    for (int r = 0; r < count; r++) {
      long key = newKeys + 4 * r * width;
      long value = key + 4 * shape.keyValueHeads() * size;
      for (int g = 0; g < groups; g++) {
        long target = 4 * ((long) g * capacity + position + r) * size;
        memory.copy(key + 4 * g * size, keys + target, size);
        memory.copy(value + 4 * g * size, values + target, size);
      }
    }
    for (int r = 0; r < count; r++) {
      row(
          qkv + 4 * (r * width + firstHead),
          shape,
          position + r,
          groups,
          keys,
          values,
          capacity,
          out + 4 * (r * shape.heads() * size + firstHead));
    }
  }

  private void row(
      long queries,
      AttentionShape shape,
      int position,
      int groups,
      long keys,
      long values,
      int capacity,
      long out) {
    int heads = shape.group();
    long size = shape.headSize();
    int count = Math.min((position / BLOCK + 1) * BLOCK, capacity);
    long scores = scratch.floats(SCORES, (long) groups * heads * count);
    matmul
        .size(groups, heads, count, size)
        .a(queries, heads * size, size, 1)
        .b(keys, capacity * size, 1, size)
        .scale((float) shape.scale())
        .plus(mask(position + 1), 1)
        .into(scores, (long) heads * count, count);
    softmax.forward(groups * heads, count, scores, scores);
    matmul
        .size(groups, heads, size, count)
        .a(scores, (long) heads * count, count, 1)
        .b(values, capacity * size, size, 1)
        .into(out, heads * size, size);
  }

  /** So many zeros, and −∞ for the rest of a block. */
  private long mask(int allowed) {
    FloatPointer current = mask;
    if (current == null || zeros < allowed) {
      if (current != null) {
        current.close();
      }
      zeros = Integer.highestOneBit(allowed) * 2;
      current = new FloatPointer((long) zeros + BLOCK);
      mask = current;
      for (int i = 0; i < zeros + BLOCK; i++) {
        current.put(i, i < zeros ? 0 : Float.NEGATIVE_INFINITY);
      }
    }
    return current.address() + 4L * (zeros - allowed);
  }

  /** Bytes off the heap. */
  long bytes() {
    return scratch.bytes();
  }

  @Override
  public void close() {
    scratch.close();
    if (mask != null) {
      mask.close();
    }
  }
}
