package dev.spatz.kernel;

import java.util.Arrays;

/**
 * Causal attention by blocks of query rows, so that of the forbidden half of the scores nothing but
 * the blocks on the diagonal is computed, and scores never leave the cache (as in Dao et al. 2022,
 * but with whole rows of keys). Heads are used where they lie in the rows of queries, keys and
 * values. Query heads that share a key/value head take turns, so that in each turn the products of
 * all key/value heads are one batch.
 */
final class OneDnnAttention implements AutoCloseable {
  /** Query rows of a block. */
  private static final int BLOCK = 64;

  /** Below this a probability is too small for its logarithm. */
  private static final float SMALLEST = 1e-30f;

  /** Blocks whose masks are kept; those of further blocks and of decoding are made each time. */
  private static final int MASKS = 16;

  private static final int SCORES = 0;
  private static final int WEIGHTS = 1;
  private static final int D_WEIGHTS = 2;
  private static final int OWN = 3;

  private final OneDnnMatmul matmul;
  private final OneDnnSoftmax softmax;
  private final OneDnnElementwise elementwise;
  private final NativeFloats memory;
  private final NativeScratch scratch = new NativeScratch(4);
  private final NativeScratch masks = new NativeScratch(MASKS + 1);
  private final long[] held = new long[MASKS + 1];
  private float[] line = new float[BLOCK];
  private float[] other = new float[BLOCK];

  OneDnnAttention(
      OneDnnMatmul matmul,
      OneDnnSoftmax softmax,
      OneDnnElementwise elementwise,
      NativeFloats memory) {
    this.matmul = matmul;
    this.softmax = softmax;
    this.elementwise = elementwise;
    this.memory = memory;
  }

  void forward(
      long qkv, long sequences, AttentionShape shape, Dropout dropout, long out, long logSumExp) {
    int time = shape.time();
    int groups = shape.keyValueHeads();
    long size = shape.headSize();
    long width = shape.rowWidth();
    long outWidth = shape.heads() * size;
    for (long b = 0; b < sequences; b++) {
      long values = values(qkv + 4 * b * time * width, shape);
      for (int turn = 0; turn < shape.group(); turn++) {
        for (int from = 0; from < time; from += BLOCK) {
          int rows = Math.min(BLOCK, time - from);
          int keys = from + rows;
          long scores = scores(qkv + 4 * b * time * width, shape, turn, from, rows);
          long weights = scratch.floats(WEIGHTS, (long) groups * rows * keys);
          softmax.forward((long) groups * rows, keys, scores, weights);
          long sums = logSumExp + 4 * ((b * shape.heads() + turn) * time + from);
          logSumExp(scores, weights, rows, keys, shape, sums);
          if (dropout.active()) {
            drop(weights, weights, b, turn, from, rows, shape, dropout);
          }
          matmul
              .size(groups, rows, size, keys)
              .a(weights, (long) rows * keys, keys, 1)
              .b(values, size, width, 1)
              .into(
                  out + 4 * ((b * time + from) * outWidth + turn * size),
                  shape.group() * size,
                  outWidth);
        }
      }
    }
  }

  /**
   * Computes the weights again, as the forward did. The last block comes first: it alone reaches
   * all keys, so it overwrites their gradients, and the others add.
   */
  void backward(
      long dOut, long qkv, long sequences, AttentionShape shape, Dropout dropout, long dQkv) {
    int time = shape.time();
    long width = shape.rowWidth();
    for (long b = 0; b < sequences; b++) {
      long in = qkv + 4 * b * time * width;
      long dIn = dQkv + 4 * b * time * width;
      for (int turn = 0; turn < shape.group(); turn++) {
        int last = (time - 1) / BLOCK * BLOCK;
        for (int from = last; from >= 0; from -= BLOCK) {
          blockBackward(dOut, in, dIn, b, turn, from, turn > 0 || from < last, shape, dropout);
        }
      }
    }
  }

  private void blockBackward(
      long dOut,
      long in,
      long dIn,
      long b,
      int turn,
      int from,
      boolean accumulate,
      AttentionShape shape,
      Dropout dropout) {
    int time = shape.time();
    int groups = shape.keyValueHeads();
    long size = shape.headSize();
    long width = shape.rowWidth();
    long headStep = shape.group() * size;
    long outWidth = shape.heads() * size;
    int rows = Math.min(BLOCK, time - from);
    int keys = from + rows;
    long step = (long) rows * keys;
    long dOutBlock = dOut + 4 * ((b * time + from) * outWidth + turn * size);
    long queryOffset = 4 * (from * width + turn * size);

    long scores = scores(in, shape, turn, from, rows);
    long weights = scratch.floats(WEIGHTS, groups * step);
    softmax.forward((long) groups * rows, keys, scores, weights);
    // out = (weights∘factors)·values; the scale of the scores comes in here.
    long dWeights = scratch.floats(D_WEIGHTS, groups * step);
    matmul
        .size(groups, rows, keys, size)
        .a(dOutBlock, headStep, outWidth, 1)
        .b(values(in, shape), size, 1, width)
        .scale((float) shape.scale())
        .into(dWeights, step, keys);
    long dropped = weights;
    if (dropout.active()) {
      dropped = scores;
      drop(weights, dropped, b, turn, from, rows, shape, dropout);
      drop(dWeights, dWeights, b, turn, from, rows, shape, dropout);
    }
    matmul.size(groups, keys, size, rows).a(dropped, step, 1, keys);
    matmul.b(dOutBlock, headStep, outWidth, 1);
    accumulate(accumulate).into(values(dIn, shape), size, width);
    // scores = scale·queries·keysᵀ
    softmax.backward((long) groups * rows, keys, dWeights, weights, dWeights);
    matmul.size(groups, rows, size, keys).a(dWeights, step, keys, 1);
    matmul.b(keys(in, shape), size, width, 1).into(dIn + queryOffset, headStep, width);
    matmul.size(groups, keys, size, rows).a(dWeights, step, 1, keys);
    matmul.b(in + queryOffset, headStep, width, 1);
    accumulate(accumulate).into(keys(dIn, shape), size, width);
  }

  private OneDnnMatmul accumulate(boolean accumulate) {
    return accumulate ? matmul.accumulate() : matmul;
  }

  /**
   * Stores the new rows, and lets them attend, a block at a time. Keys are taken in multiples of
   * the block, so that decoding needs few primitives; those beyond the row's own are masked.
   */
  void cached(
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
    long outWidth = shape.heads() * size;
    long cacheStep = capacity * size;
    for (int r = 0; r < count; r++) {
      long row = qkv + 4 * r * width;
      for (int g = 0; g < groups; g++) {
        long target = 4 * ((long) g * capacity + position + r) * size;
        memory.copy(keys(row, shape) + 4 * g * size, keyCache + target, size);
        memory.copy(values(row, shape) + 4 * g * size, valueCache + target, size);
      }
    }
    // A single row's query heads of a group are the rows of one product.
    int turns = count == 1 ? 1 : shape.group();
    for (int from = 0; from < count; from += BLOCK) {
      int rows = count == 1 ? shape.group() : Math.min(BLOCK, count - from);
      long rowStep = count == 1 ? size : width;
      int maskRows = count == 1 ? 1 : rows;
      int end = position + Math.min(from + BLOCK, count);
      int keys = Math.min((end + BLOCK - 1) / BLOCK * BLOCK, capacity);
      long step = (long) rows * keys;
      long scores = scratch.floats(SCORES, groups * step);
      for (int turn = 0; turn < turns; turn++) {
        matmul
            .size(groups, rows, keys, size)
            .a(qkv + 4 * (from * width + turn * size), shape.group() * size, rowStep, 1)
            .b(keyCache, cacheStep, 1, size)
            .scale((float) shape.scale())
            .plus(mask(MASKS, position + from, maskRows, keys), maskRows)
            .into(scores, step, keys);
        softmax.forward((long) groups * rows, keys, scores, scores);
        matmul
            .size(groups, rows, size, keys)
            .a(scores, step, keys, 1)
            .b(valueCache, cacheStep, size, 1)
            .into(
                out + 4 * (from * outWidth + turn * size),
                shape.group() * size,
                count == 1 ? size : outWidth);
      }
    }
  }

  /** Masked scores (G,rows,keys) of the query heads of one turn in a block of rows. */
  private long scores(long in, AttentionShape shape, int turn, int from, int rows) {
    int groups = shape.keyValueHeads();
    int keys = from + rows;
    long size = shape.headSize();
    long width = shape.rowWidth();
    long scores = scratch.floats(SCORES, (long) groups * rows * keys);
    matmul
        .size(groups, rows, keys, size)
        .a(in + 4 * (from * width + turn * size), shape.group() * size, width, 1)
        .b(keys(in, shape), size, 1, width)
        .scale((float) shape.scale())
        .plus(mask(Math.min(from / BLOCK, MASKS), from, rows, keys), rows)
        .into(scores, (long) rows * keys, keys);
    return scores;
  }

  private static long keys(long rows, AttentionShape shape) {
    return rows + 4L * shape.heads() * shape.headSize();
  }

  private static long values(long rows, AttentionShape shape) {
    return keys(rows, shape) + 4L * shape.keyValueHeads() * shape.headSize();
  }

  /**
   * A mask (rows,keys) whose first row lets the keys up to {@code position} through, and each
   * further row one more; made unless it is what the slot holds.
   */
  private long mask(int slot, int position, int rows, int keys) {
    long address = masks.floats(slot, (long) rows * keys);
    long what = ((long) position * (BLOCK + 1) + rows) << Integer.SIZE | keys;
    if (held[slot] != what) {
      held[slot] = what;
      if (line.length < keys) {
        line = new float[keys];
      }
      for (int r = 0; r < rows; r++) {
        Arrays.fill(line, 0, keys, Float.NEGATIVE_INFINITY);
        Arrays.fill(line, 0, Math.min(position + r + 1, keys), 0);
        memory.write(address + 4L * r * keys, line, 0, keys);
      }
    }
    return address;
  }

  /**
   * The logarithm of a row's denominator is its score less the logarithm of its weight, for any
   * key; the row's own is taken, or where that has next to no weight, the heaviest.
   */
  private void logSumExp(
      long scores, long weights, int rows, int keys, AttentionShape shape, long sums) {
    long first = 4L * (keys - rows);
    long ownScores = scratch.floats(OWN, 2L * rows);
    long ownWeights = ownScores + 4L * rows;
    for (int g = 0; g < shape.keyValueHeads(); g++) {
      long head = 4L * g * rows * keys;
      elementwise.copy(rows, 1, scores + head + first, keys + 1L, 1, ownScores, 1, 1);
      elementwise.copy(rows, 1, weights + head + first, keys + 1L, 1, ownWeights, 1, 1);
      memory.read(ownScores, line, 0, rows);
      memory.read(ownWeights, other, 0, rows);
      for (int r = 0; r < rows; r++) {
        long row = head + 4L * r * keys;
        line[r] =
            other[r] >= SMALLEST
                ? line[r] - (float) Math.log(other[r])
                : logSumExp(scores + row, weights + row, keys);
      }
      memory.write(sums + 4L * g * shape.group() * shape.time(), line, 0, rows);
    }
  }

  private float logSumExp(long scores, long weights, int keys) {
    float heaviest = 0;
    int at = 0;
    for (int j = 0; j < keys; j++) {
      float weight = memory.get(weights + 4L * j);
      if (weight > heaviest) {
        heaviest = weight;
        at = j;
      }
    }
    return memory.get(scores + 4L * at) - (float) Math.log(heaviest);
  }

  /** Multiplies what each query may see by the dropout's factors. */
  private void drop(
      long source,
      long target,
      long b,
      int turn,
      int from,
      int rows,
      AttentionShape shape,
      Dropout dropout) {
    int keys = from + rows;
    int time = shape.time();
    if (line.length < keys) {
      line = new float[keys];
    }
    float kept = (float) (1 / (1 - dropout.rate()));
    for (int g = 0; g < shape.keyValueHeads(); g++) {
      long head = (dropout.firstSequence() + b) * shape.heads() + (long) g * shape.group() + turn;
      for (int r = 0; r < rows; r++) {
        long offset = 4 * ((long) g * rows + r) * keys;
        long index = (head * time + from + r) * time;
        memory.read(source + offset, line, 0, keys);
        for (int j = 0; j <= from + r; j++) {
          line[j] = dropout.drops(index + j) ? 0 : line[j] * kept;
        }
        memory.write(target + offset, line, 0, keys);
      }
    }
  }

  @Override
  public void close() {
    scratch.close();
    masks.close();
  }
}
