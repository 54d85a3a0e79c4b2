package dev.spatz.kernel;

import static org.bytedeco.dnnl.global.dnnl.dnnl_f32;

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

  /** Blocks whose masks are kept; those of further blocks are made each time. */
  private static final int MASKS = 16;

  private static final int SCORES = 0;
  private static final int WEIGHTS = 1;
  private static final int D_WEIGHTS = 2;
  private static final int D_SCORES = 3;
  private static final int DROPPED = 4;
  private static final int D_QKV = 5;

  private final OneDnnMatmul matmul;
  private final OneDnnSoftmax softmax;
  private final OneDnnElementwise elementwise;
  private final NativeFloats memory;
  private final NativeScratch scratch = new NativeScratch(6);
  private final NativeScratch masks = new NativeScratch(MASKS + 1);
  private final long[] held = new long[MASKS + 1];
  private int type = dnnl_f32;
  private int bytes = Float.BYTES;
  private float[] line = new float[BLOCK];

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

  /** The type of queries, keys, values, results and their gradients, from now on. */
  OneDnnAttention of(int elementType) {
    type = elementType;
    bytes = OneDnn.width(elementType);
    return this;
  }

  void forward(long qkv, long sequences, AttentionShape shape, Dropout dropout, long out) {
    int time = shape.time();
    int groups = shape.keyValueHeads();
    long size = shape.headSize();
    long width = shape.rowWidth();
    long outWidth = shape.heads() * size;
    for (long b = 0; b < sequences; b++) {
      long in = qkv + bytes * b * time * width;
      for (int turn = 0; turn < shape.group(); turn++) {
        for (int from = 0; from < time; from += BLOCK) {
          int rows = Math.min(BLOCK, time - from);
          int keys = from + rows;
          long scores = scores(in, shape, turn, from, rows);
          long weights = scratch.floats(WEIGHTS, (long) groups * rows * keys);
          softmax.forward(type, (long) groups * rows, keys, scores, weights);
          long dropped = dropped(weights, scores, b, turn, from, rows, shape, dropout);
          matmul
              .size(groups, rows, size, keys)
              .types(type, type)
              .a(dropped, (long) rows * keys, keys, 1)
              .b(values(in, shape), size, width, 1)
              .into(
                  out + bytes * ((b * time + from) * outWidth + turn * size),
                  shape.group() * size,
                  outWidth);
        }
      }
    }
  }

  /**
   * Computes the weights again, as the forward did. The last block comes first: it alone reaches
   * all keys, so it overwrites their gradients, and the others add, in float32.
   */
  void backward(
      long dOut, long qkv, long sequences, AttentionShape shape, Dropout dropout, long dQkv) {
    int time = shape.time();
    long width = shape.rowWidth();
    for (long b = 0; b < sequences; b++) {
      long in = qkv + bytes * b * time * width;
      long result = dQkv + bytes * b * time * width;
      long dIn = type == dnnl_f32 ? result : scratch.floats(D_QKV, time * width);
      for (int turn = 0; turn < shape.group(); turn++) {
        int last = (time - 1) / BLOCK * BLOCK;
        for (int from = last; from >= 0; from -= BLOCK) {
          WriteMode mode = turn == 0 && from == last ? WriteMode.OVERWRITE : WriteMode.ADD;
          blockBackward(dOut, in, dIn, b, turn, from, mode, shape, dropout);
        }
      }
      if (dIn != result) {
        elementwise.convert(dnnl_f32, type, time * width, dIn, result);
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
      WriteMode mode,
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
    long dOutBlock = dOut + bytes * ((b * time + from) * outWidth + turn * size);
    long queries = from * width + turn * size;

    long scores = scores(in, shape, turn, from, rows);
    long weights = scratch.floats(WEIGHTS, groups * step);
    softmax.forward(type, (long) groups * rows, keys, scores, weights);
    // out = (weights∘factors)·values; the scale of the scores comes in here.
    long dWeights = scratch.floats(D_WEIGHTS, groups * step);
    int drops = dropout.active() ? dnnl_f32 : type;
    matmul
        .size(groups, rows, keys, size)
        .types(type, drops)
        .a(dOutBlock, headStep, outWidth, 1)
        .b(values(in, shape), size, 1, width)
        .scale((float) shape.scale())
        .into(dWeights, step, keys);
    long dropped = dropped(weights, scores, b, turn, from, rows, shape, dropout);
    if (dropout.active()) {
      drop(dWeights, dWeights, b, turn, from, rows, shape, dropout);
      if (type != dnnl_f32) {
        long typed = scratch.floats(D_SCORES, groups * step);
        elementwise.convert(dnnl_f32, type, groups * step, dWeights, typed);
        dWeights = typed;
      }
    }
    long kv = (long) groups * size;
    long dKeys = dIn + 4L * shape.heads() * size;
    matmul.size(groups, keys, size, rows).types(type, dnnl_f32).a(dropped, step, 1, keys);
    matmul.b(dOutBlock, headStep, outWidth, 1).write(mode).into(dKeys + 4 * kv, size, width);
    // scores = scale·queries·keysᵀ
    long dScores = dWeights;
    softmax.backward(type, (long) groups * rows, keys, dWeights, weights, dScores);
    matmul.size(groups, rows, size, keys).types(type, dnnl_f32).a(dScores, step, keys, 1);
    matmul.b(keys(in, shape), size, width, 1).into(dIn + 4 * queries, headStep, width);
    matmul.size(groups, keys, size, rows).types(type, dnnl_f32).a(dScores, step, 1, keys);
    matmul.b(in + bytes * queries, headStep, width, 1).write(mode).into(dKeys, size, width);
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
        .types(type, dnnl_f32)
        .a(in + bytes * (from * width + turn * size), shape.group() * size, width, 1)
        .b(keys(in, shape), size, 1, width)
        .scale((float) shape.scale())
        .plus(mask(Math.min(from / BLOCK, MASKS), from, rows, keys), rows)
        .into(scores, (long) rows * keys, keys);
    return scores;
  }

  private long keys(long rows, AttentionShape shape) {
    return rows + (long) bytes * shape.heads() * shape.headSize();
  }

  private long values(long rows, AttentionShape shape) {
    return keys(rows, shape) + (long) bytes * shape.keyValueHeads() * shape.headSize();
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

  /** The weights after dropout, where there is one: in the memory of the scores, or a copy. */
  private long dropped(
      long weights,
      long scores,
      long b,
      int turn,
      int from,
      int rows,
      AttentionShape shape,
      Dropout dropout) {
    if (!dropout.active()) {
      return weights;
    }
    if (type == dnnl_f32) {
      drop(weights, scores, b, turn, from, rows, shape, dropout);
      return scores;
    }
    long count = (long) shape.keyValueHeads() * rows * (from + rows);
    elementwise.convert(type, dnnl_f32, count, weights, scores);
    drop(scores, scores, b, turn, from, rows, shape, dropout);
    long dropped = scratch.floats(DROPPED, count);
    elementwise.convert(dnnl_f32, type, count, scores, dropped);
    return dropped;
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

  /** Bytes off the heap. */
  long bytes() {
    return scratch.bytes() + masks.bytes();
  }

  @Override
  public void close() {
    scratch.close();
    masks.close();
  }
}
