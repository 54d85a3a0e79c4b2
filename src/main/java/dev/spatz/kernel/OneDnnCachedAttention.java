package dev.spatz.kernel;

import static dev.spatz.kernel.OneDnn.check;
import static dev.spatz.kernel.OneDnn.dense;
import static dev.spatz.kernel.OneDnn.strided;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_linear;
import static org.bytedeco.dnnl.global.dnnl.dnnl_matmul_primitive_desc_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_post_ops_append_eltwise;
import static org.bytedeco.dnnl.global.dnnl.dnnl_post_ops_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_post_ops_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_attr_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_attr_set_post_ops;

import java.util.Arrays;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_post_ops;
import org.bytedeco.dnnl.dnnl_primitive_attr;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.bytedeco.javacpp.FloatPointer;
import org.jspecify.annotations.Nullable;

/**
 * Attention of new rows of a sequence to the keys and values of all its rows so far. Keys are taken
 * in whole blocks, but for the last of a single row, so that there are few sizes of products. Rows
 * whose last keys are in one block are computed together, in numbers that are powers of two; a
 * row's bits do not depend on that.
 *
 * <p>Blocks of keys are transposed: a query's scores are then read from memory as fast as it goes.
 * With oneDNN 3.11, rows of keys that were in no cache took twice as long. And a single row's heads
 * are scored in twos or threes: of a matrix that has their queries on its diagonal, and otherwise
 * zeros, and the heads' keys, which follow one another. That is up to a quarter faster than a
 * product for each.
 */
final class OneDnnCachedAttention implements AutoCloseable {
  private static final int PRODUCT = 410;
  private static final int SCORES = 0;
  private static final int RESULTS = 1;
  private static final int DIAGONALS = 2;

  /** oneDNN 3.11 sums more products than these in another order if there is a single row. */
  private static final int MOST_OF_A_ROW = 1024;

  /** Values, and keys of a single row, are read in whole multiples of so many positions … */
  private static final int LEAST_STEP = 16;

  /** … and of more, up to a block, in long sequences: each number of them is another product. */
  private static final int STEPS = 16;

  /** Scores that are held at once (16 MB), but for those of a single row. */
  private static final long MOST_SCORES = 1 << 22;

  private final OneDnnContext context;
  private final OneDnnMatmul matmul;
  private final OneDnnSoftmax softmax;
  private final OneDnnElementwise elementwise;
  private final NativeFloats memory;
  private final NativeScratch scratch = new NativeScratch(3);
  private @Nullable FloatPointer forbidden;
  private long keyCache;
  private long valueCache;
  private int capacity;
  private int block;

  OneDnnCachedAttention(
      OneDnnContext context,
      OneDnnMatmul matmul,
      OneDnnSoftmax softmax,
      OneDnnElementwise elementwise,
      NativeFloats memory) {
    this.context = context;
    this.matmul = matmul;
    this.softmax = softmax;
    this.elementwise = elementwise;
    this.memory = memory;
  }

  /** The caches from now on: of {@code positions} positions, the keys in blocks of {@code size}. */
  void of(long keys, long values, int positions, int size) {
    keyCache = keys;
    valueCache = values;
    capacity = positions;
    block = size;
  }

  /** As {@link Kernels#attentionCached}. */
  void forward(
      long qkv,
      int count,
      AttentionShape shape,
      int position,
      int firstGroup,
      int groups,
      long out) {
    long size = shape.headSize();
    long width = shape.rowWidth();
    long firstHead = (long) firstGroup * shape.group() * size;
    long keys = keyCache + 4L * firstGroup * size * block;
    long values = valueCache + 4L * firstGroup * capacity * size;
    long newKeys = qkv + 4 * (shape.heads() + firstGroup) * size;
    long newValues = newKeys + 4 * shape.keyValueHeads() * size;
    storeKeys(newKeys, count, shape, position, groups, keys);
    storeValues(newValues, count, width, size, groups, values + 4 * position * size);
    int rows;
    for (int r = 0; r < count; r += rows) {
      int first = position + r;
      rows = rowsAtOnce(count - r, first, groups * shape.group());
      long queries = qkv + 4 * (r * width + firstHead);
      long result = out + 4 * (r * shape.heads() * size + firstHead);
      attend(queries, rows, shape, first, groups, keys, values, result);
    }
  }

  /** How many of the rows from a position on are computed together. */
  private int rowsAtOnce(int left, int position, int heads) {
    long scoresOfRow = (position / block + 1L) * block * heads;
    long held = Math.max(1, MOST_SCORES / scoresOfRow);
    return Integer.highestOneBit((int) Math.min(Math.min(left, block - position % block), held));
  }

  /** Transposes new keys into their blocks. */
  private void storeKeys(
      long newKeys, int count, AttentionShape shape, int position, int groups, long keys) {
    long width = shape.rowWidth();
    long size = shape.headSize();
    int some;
    for (int r = 0; r < count; r += some) {
      int column = (position + r) % block;
      some = Math.min(count - r, block - column);
      long from = newKeys + 4 * r * width;
      long to = keys + 4 * ((position + r) / block * keyBlock(shape) + column);
      if (some == 1) {
        elementwise.copy(groups, size, from, size, 1, to, size * block, block);
      } else {
        for (int g = 0; g < groups; g++) {
          elementwise.copy(
              some, size, from + 4 * g * size, width, 1, to + 4 * g * size * block, 1, block);
        }
      }
    }
  }

  /** How many numbers a block of keys has, of all groups. */
  private long keyBlock(AttentionShape shape) {
    return (long) shape.keyValueHeads() * shape.headSize() * block;
  }

  private void storeValues(
      long newValues, int count, long width, long size, int groups, long values) {
    for (int g = 0; g < groups; g++) {
      long from = newValues + 4 * g * size;
      long to = values + 4 * g * capacity * size;
      if (count == 1) {
        memory.copy(from, to, size);
      } else {
        elementwise.copy(count, size, from, width, 1, to, size, 1);
      }
    }
  }

  /** Of rows none of which sees a key of another block than the first one. */
  private void attend(
      long queries,
      int rows,
      AttentionShape shape,
      int position,
      int groups,
      long keys,
      long values,
      long out) {
    int heads = shape.group();
    int seen = position + rows;
    int count = held(seen);
    int blocks = count / block;
    int all = groups * heads * rows;
    long room = (long) groups * Math.max(heads * rows, 2) * count; // a single row may be one of two
    long scores = scratch.floats(SCORES, room); // (groups,heads,rows,count)
    if (rows == 1) {
      scoresOfRow(queries, seen, shape, groups, keys, scores);
    } else {
      scores(queries, rows, shape, groups, blocks, keys, scores);
    }
    for (int r = 0; r < all; r++) {
      forbid(scores + 4L * r * count, position + r % rows + 1, count);
    }
    softmax.forward(all, count, scores, scores);
    if (rows == 1) {
      resultOfRow(scores, seen, shape, groups, values, out);
    } else {
      results(scores, rows, seen, shape, groups, values, out);
    }
  }

  /** Positions of the blocks that hold so many. */
  private int held(int seen) {
    return (seen + block - 1) / block * block;
  }

  /** Positions that are read where so many are seen: the others have no weight. */
  private int read(int seen) {
    int step = Math.max(LEAST_STEP, Integer.highestOneBit(seen) / STEPS);
    return Math.min((seen + step - 1) / step * step, held(seen));
  }

  private void scores(
      long queries,
      int rows,
      AttentionShape shape,
      int groups,
      int blocks,
      long keys,
      long scores) {
    int heads = shape.group();
    long size = shape.headSize();
    long count = (long) blocks * block;
    long keyBlock = keyBlock(shape);
    for (int h = 0; h < heads; h++) {
      for (int i = 0; i < blocks; i++) {
        matmul
            .size(groups, rows, block, size)
            .a(queries + 4 * h * size, heads * size, shape.rowWidth(), 1)
            .b(keys + 4 * i * keyBlock, size * block, block, 1)
            .scale((float) shape.scale())
            .into(scores + 4 * (h * rows * count + (long) i * block), heads * rows * count, count);
      }
    }
  }

  private void results(
      long weights, int rows, int seen, AttentionShape shape, int groups, long values, long out) {
    int heads = shape.group();
    int count = held(seen);
    long size = shape.headSize();
    long step = (long) rows * count;
    for (int h = 0; h < heads; h++) {
      matmul
          .size(groups, rows, size, read(seen))
          .a(weights + 4 * h * step, heads * step, count, 1)
          .b(values, capacity * size, size, 1)
          .into(out + 4 * h * size, heads * size, shape.heads() * size);
    }
  }

  /**
   * The heads of a group are the rows of a product; a single one with many weights is one of two.
   */
  private void resultOfRow(
      long weights, int seen, AttentionShape shape, int groups, long values, long out) {
    int heads = shape.group();
    int count = held(seen);
    boolean single = heads == 1 && read(seen) > MOST_OF_A_ROW;
    int computed = single ? 2 : heads;
    long size = shape.headSize();
    long step = single ? (long) groups * count : count; // beyond all weights anything may be
    long target = single ? scratch.floats(RESULTS, groups * computed * size) : out;
    matmul
        .size(groups, computed, size, read(seen))
        .a(weights, (long) heads * count, step, 1)
        .b(values, capacity * size, size, 1)
        .into(target, heads * size, single ? groups * size : size);
    if (single) {
      memory.copy(target, out, groups * size);
    }
  }

  /** Of the last block no more keys are read than of the values. */
  private void scoresOfRow(
      long queries, int seen, AttentionShape shape, int groups, long keys, long scores) {
    int together = together(groups, shape);
    long rows = together == 1 ? queries : diagonals(queries, groups, together, shape.headSize());
    int count = held(seen);
    int blocks = count / block;
    int rest = read(seen) - (blocks - 1) * block;
    int whole = rest == block ? blocks : blocks - 1;
    if (whole > 0) {
      OneDnnPrimitive product = product(groups, together, whole, block, count, shape);
      context.run(product.bind(0, rows).bind(1, keys).bind(2, scores));
    }
    if (whole < blocks) {
      long last = keys + 4 * whole * keyBlock(shape);
      OneDnnPrimitive product = product(groups, together, 1, rest, count, shape);
      context.run(product.bind(0, rows).bind(1, last).bind(2, scores + 4L * whole * block));
    }
  }

  /** How many groups are scored in one product: heads that share keys are together anyway. */
  private static int together(int groups, AttentionShape shape) {
    if (shape.group() > 1) {
      return 1;
    }
    return groups % 2 == 0 ? 2 : groups % 3 == 0 ? 3 : 1;
  }

  /** Matrices (groups/together,together,together·D) with queries on their diagonals. */
  private long diagonals(long queries, int groups, int together, long size) {
    long area = (long) groups * together * size;
    long matrices = scratch.floats(DIAGONALS, area);
    memory.zero(matrices, area);
    for (int g = 0; g < groups; g++) {
      long row = matrices + 4L * g * together * size;
      memory.copy(queries + 4 * g * size, row + 4 * (g % together) * size, size);
    }
    return matrices;
  }

  /**
   * The scaled scores (blocks,1,groups/n,n·heads,columns), stored as (groups,heads,count), of
   * queries (1,1,groups/n,n·heads,n·D) and blocks of keys (blocks,1,groups/n,n·D,columns), n groups
   * together.
   *
   * <p>oneDNN 3.11 takes a batch for evenly spaced if the quotient of its largest and smallest
   * strides happens to be its size. The stride over the one dimension of a single element prevents
   * that: it is greater than the smallest times the size.
   */
  private OneDnnPrimitive product(
      int groups, int together, int blocks, int columns, int count, AttentionShape shape) {
    long size = shape.headSize();
    int heads = shape.group();
    context.key(PRODUCT).add(groups).add(together).add(blocks).add(columns).add(count);
    context.key().add(heads).add(shape.keyValueHeads()).add(size).add(block);
    OneDnnPrimitive primitive = context.find();
    if (primitive != null) {
      return primitive;
    }
    long batch = groups / together;
    long rows = (long) together * heads;
    long width = together * size;
    long keyBlock = keyBlock(shape);
    long uneven = (blocks * batch + 1) * Math.max(keyBlock, count);
    dnnl_memory_desc queries = dense(1, 1, batch, rows, width);
    dnnl_memory_desc keys =
        strided(
            new long[] {blocks, 1, batch, width, columns},
            new long[] {keyBlock, uneven, width * block, block, 1});
    dnnl_memory_desc scores =
        strided(
            new long[] {blocks, 1, batch, rows, columns},
            new long[] {block, uneven, rows * count, count, 1});
    dnnl_post_ops postOps = new dnnl_post_ops();
    check(dnnl_post_ops_create(postOps), "post-operations");
    float scale = (float) shape.scale();
    check(dnnl_post_ops_append_eltwise(postOps, dnnl_eltwise_linear, scale, 0), "scale");
    dnnl_primitive_attr attributes = OneDnnContext.attributes();
    check(dnnl_primitive_attr_set_post_ops(attributes, postOps), "post-operations");
    dnnl_post_ops_destroy(postOps);
    dnnl_primitive_desc description = new dnnl_primitive_desc();
    check(
        dnnl_matmul_primitive_desc_create(
            description, OneDnn.engine(), queries, keys, null, scores, attributes),
        "scores");
    dnnl_primitive_attr_destroy(attributes);
    int[] names = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST};
    return context.keep(new OneDnnPrimitive(description, names, queries, keys, scores));
  }

  /** Overwrites a row's scores from {@code seen} on, which are of the last block, by −∞. */
  private void forbid(long scores, int seen, int count) {
    if (seen == count) {
      return;
    }
    FloatPointer current = forbidden;
    if (current == null || current.capacity() < block) {
      close(current);
      float[] infinities = new float[block];
      Arrays.fill(infinities, Float.NEGATIVE_INFINITY);
      current = new FloatPointer(infinities);
      forbidden = current;
    }
    memory.copy(current.address(), scores + 4L * seen, count - seen);
  }

  private static void close(@Nullable FloatPointer pointer) {
    if (pointer != null) {
      pointer.close();
    }
  }

  /** Bytes off the heap. */
  long bytes() {
    return scratch.bytes();
  }

  @Override
  public void close() {
    scratch.close();
    close(forbidden);
    forbidden = null;
  }
}
