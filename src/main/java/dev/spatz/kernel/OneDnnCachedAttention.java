package dev.spatz.kernel;

import java.util.Arrays;

/** Attention of new rows of a sequence to the keys and values of all its rows so far. */
final class OneDnnCachedAttention implements AutoCloseable {
  /** Keys are taken in multiples of this. */
  private static final int BLOCK = 64;

  /** Rows of a product. */
  private static final int TOGETHER = 8;

  private static final int SCORES = 0;
  private static final int QUERIES = 1;

  /** Of keys beyond a row's own, which are fewer than a block. */
  private static final float[] FORBIDDEN = new float[BLOCK];

  static {
    Arrays.fill(FORBIDDEN, Float.NEGATIVE_INFINITY);
  }

  private final OneDnnMatmul matmul;
  private final OneDnnSoftmax softmax;
  private final NativeFloats memory;
  private final NativeScratch scratch = new NativeScratch(2);

  OneDnnCachedAttention(OneDnnMatmul matmul, OneDnnSoftmax softmax, NativeFloats memory) {
    this.matmul = matmul;
    this.softmax = softmax;
    this.memory = memory;
  }

  /**
   * Stores the new rows, and lets them attend. So that a row's bits do not depend on how many come
   * at once, each is computed at its place in the block of {@value #TOGETHER} positions that it
   * belongs to, by products of one size; the block's other rows are computed too, and mean nothing.
   * Keys are taken in whole blocks, so that there are few sizes; those beyond the row's own are
   * forbidden.
   */
  void forward(
      long qkv,
      int count,
      AttentionShape shape,
      int position,
      long keyCache,
      long valueCache,
      int capacity,
      long out) {
    int groups = shape.keyValueHeads();
    long size = shape.headSize();
    long width = shape.rowWidth();
    for (int r = 0; r < count; r++) {
      long keys = qkv + 4 * (r * width + shape.heads() * size);
      long values = keys + 4 * groups * size;
      for (int g = 0; g < groups; g++) {
        long target = 4 * ((long) g * capacity + position + r) * size;
        memory.copy(keys + 4 * g * size, keyCache + target, size);
        memory.copy(values + 4 * g * size, valueCache + target, size);
      }
    }
    int done = 0;
    while (done < count) {
      int place = (position + done) % TOGETHER;
      int rows = Math.min(TOGETHER - place, count - done);
      block(
          qkv + 4 * done * width,
          rows,
          place,
          shape,
          position + done,
          keyCache,
          valueCache,
          capacity,
          out + 4 * done * shape.heads() * size);
      done += rows;
    }
  }

  /** The rows from a place in their block on. */
  private void block(
      long qkv,
      int rows,
      int place,
      AttentionShape shape,
      int position,
      long keyCache,
      long valueCache,
      int capacity,
      long out) {
    int groups = shape.keyValueHeads();
    long size = shape.headSize();
    long queryWidth = shape.heads() * size;
    long headStep = shape.group() * size;
    int keys = Math.min((position / BLOCK + 1) * BLOCK, capacity);
    long queries = scratch.floats(QUERIES, 2 * TOGETHER * queryWidth);
    long results = queries + 4 * TOGETHER * queryWidth;
    for (int r = 0; r < rows; r++) {
      long target = queries + 4 * (place + r) * queryWidth;
      memory.copy(qkv + 4L * r * shape.rowWidth(), target, queryWidth);
    }
    long rowStep = (long) groups * keys;
    long scores = scratch.floats(SCORES, TOGETHER * rowStep);
    for (int turn = 0; turn < shape.group(); turn++) {
      matmul
          .size(groups, TOGETHER, keys, size)
          .a(queries + 4 * turn * size, headStep, queryWidth, 1)
          .b(keyCache, capacity * size, 1, size)
          .scale((float) shape.scale())
          .into(scores, keys, rowStep);
      for (int r = 0; r < rows; r++) {
        long row = scores + 4 * (place + r) * rowStep;
        forbid(row, groups, position + r + 1, keys);
        softmax.forward(groups, keys, row, row);
      }
      matmul
          .size(groups, TOGETHER, size, keys)
          .a(scores, keys, rowStep, 1)
          .b(valueCache, capacity * size, size, 1)
          .into(results + 4 * turn * size, headStep, queryWidth);
    }
    memory.copy(results + 4 * place * queryWidth, out, rows * queryWidth);
  }

  /** Forbids the keys from {@code from} on to all heads of a row. */
  private void forbid(long scores, int heads, int from, int keys) {
    if (from < keys) {
      for (int head = 0; head < heads; head++) {
        memory.write(scores + 4L * (head * (long) keys + from), FORBIDDEN, 0, keys - from);
      }
    }
  }

  /** Bytes off the heap. */
  long bytes() {
    return scratch.bytes();
  }

  @Override
  public void close() {
    scratch.close();
  }
}
