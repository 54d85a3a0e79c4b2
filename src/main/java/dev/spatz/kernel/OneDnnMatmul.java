// Over 400 lines: one product, how it is described and how it is run; a tenth are imports.
package dev.spatz.kernel;

import static dev.spatz.kernel.OneDnn.check;
import static dev.spatz.kernel.OneDnn.dense;
import static dev.spatz.kernel.OneDnn.strided;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_FROM;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC_1;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_TO;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;
import static org.bytedeco.dnnl.global.dnnl.dnnl_binary_add;
import static org.bytedeco.dnnl.global.dnnl.dnnl_binary_mul;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_linear;
import static org.bytedeco.dnnl.global.dnnl.dnnl_f32;
import static org.bytedeco.dnnl.global.dnnl.dnnl_format_tag_any;
import static org.bytedeco.dnnl.global.dnnl.dnnl_matmul_primitive_desc_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_clone;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_create_with_tag;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_post_ops_append_binary;
import static org.bytedeco.dnnl.global.dnnl.dnnl_post_ops_append_eltwise;
import static org.bytedeco.dnnl.global.dnnl.dnnl_post_ops_append_sum;
import static org.bytedeco.dnnl.global.dnnl.dnnl_post_ops_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_post_ops_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_attr_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_attr_set_post_ops;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_desc_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_desc_query_md;
import static org.bytedeco.dnnl.global.dnnl.dnnl_query_weights_md;
import static org.bytedeco.dnnl.global.dnnl.dnnl_reorder_primitive_desc_create;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_post_ops;
import org.bytedeco.dnnl.dnnl_primitive_attr;
import org.bytedeco.dnnl.dnnl_primitive_desc;

/**
 * A batch of matrix products {@code C = scale·factor·A·B (+ bias) (+ addend) (+ C)}: of A (M,K), B
 * (K,N) and C (M,N), anywhere in memory and with any strides, all float32 unless {@link #types}
 * says otherwise. It is described and then run by {@link #into}; one object is described again for
 * each product, which allocates nothing.
 */
final class OneDnnMatmul {
  private static final int BIAS = 1;
  private static final int ACCUMULATE = 2;
  private static final int SCALE = 4;
  private static final int ADDEND = 8;
  private static final int FACTOR = 16;
  private static final int ADDEND_IS_VECTOR = 32;
  private static final int PACK = 64;

  /** oneDNN 3.11 copies B only of more columns than 256. */
  private static final int LEAST_PANEL = 512;

  /** Fewer rows do not make up for packing B. */
  private static final int LEAST_PACKED_ROWS = 512;

  /** oneDNN pads packed operands to whole blocks of at most so many rows and columns. */
  private static final int LARGEST_BLOCK = 64;

  /** Rows of a block … */
  private static final int EVEN_ROWS = 64;

  /** … that matters where there are many. */
  private static final int LEAST_EVEN_ROWS = 4096;

  /** Bytes of a page of memory. */
  private static final int PAGE = 4096;

  private final OneDnnContext context;
  private final int operation;
  private int operandType;
  private int resultType;
  private long batch;
  private long m;
  private long n;
  private long k;
  private long a;
  private long aBatch;
  private long aRow;
  private long aColumn;
  private long b;
  private long bBatch;
  private long bRow;
  private long bColumn;
  private int flags;
  private float scale;
  private long factor;
  private long bias;
  private long addend;
  private long addendRows;

  OneDnnMatmul(OneDnnContext context, int operation) {
    this.context = context;
    this.operation = operation;
  }

  /** Begins a description: the number of products and their sizes. */
  OneDnnMatmul size(long batch, long m, long n, long k) {
    this.batch = batch;
    this.m = m;
    this.n = n;
    this.k = k;
    operandType = dnnl_f32;
    resultType = dnnl_f32;
    flags = 0;
    scale = 1;
    factor = 0;
    bias = 0;
    addend = 0;
    addendRows = 0;
    return this;
  }

  /** The type of A and B, and that of C; all else is float32, and so are the sums. */
  OneDnnMatmul types(int operands, int result) {
    operandType = operands;
    resultType = result;
    return this;
  }

  /** Where A is, and how far its matrices, rows and columns are apart. */
  OneDnnMatmul a(long address, long batchStride, long rowStride, long columnStride) {
    a = address;
    aBatch = batchStride;
    aRow = rowStride;
    aColumn = columnStride;
    return this;
  }

  /** Where B is, and how far its matrices, rows and columns are apart. */
  OneDnnMatmul b(long address, long batchStride, long rowStride, long columnStride) {
    b = address;
    bBatch = batchStride;
    bRow = rowStride;
    bColumn = columnStride;
    return this;
  }

  /** Adds a vector (N) to each row. */
  OneDnnMatmul bias(long address) {
    bias = address;
    flags |= BIAS;
    return this;
  }

  /** Multiplies the product, before anything but the bias is added, by a number of its shape. */
  OneDnnMatmul scale(float constant) {
    scale = constant;
    flags |= SCALE;
    return this;
  }

  /** Multiplies the product by the number at an address, which may change from run to run. */
  OneDnnMatmul times(long address) {
    factor = address;
    flags |= FACTOR;
    return this;
  }

  /** Adds a dense matrix (rows,N) to each product; rows is M, or 1 for a vector to each row. */
  OneDnnMatmul plus(long address, long rows) {
    addend = address;
    addendRows = rows;
    flags |= ADDEND;
    return this;
  }

  /** Adds to what is there. */
  OneDnnMatmul accumulate() {
    flags |= ACCUMULATE;
    return this;
  }

  /** Overwrites what is there, as a product does by itself, or adds to it. */
  OneDnnMatmul write(WriteMode mode) {
    return mode == WriteMode.ADD ? accumulate() : this;
  }

  /**
   * Brings B into oneDNN's own layout first, if it is to be read often enough: worth it for a B
   * whose columns are not the ones that are summed over. At 512 rows and GPT-2's sizes products
   * took a sixth less time so, the packing included.
   */
  OneDnnMatmul pack() {
    if (batch == 1 && m >= LEAST_PACKED_ROWS) {
      flags |= PACK;
    }
    return this;
  }

  /** Runs it: where C is, and how far its matrices and rows are apart. */
  void into(long address, long batchStride, long rowStride) {
    if ((flags & PACK) != 0) {
      run(address, 0, rowStride);
    } else if (batch == 1 && aRow == 1 && m > LEAST_EVEN_ROWS && m % EVEN_ROWS != 0) {
      evenly(address, rowStride);
    } else if (batch > 1 && k == 1) {
      // oneDNN 3.11 takes a batch of single rows for columns if there are gaps between them.
      long count = batch;
      batch = 1;
      for (long i = 0; i < count; i++) {
        run(address + OneDnn.width(resultType) * i * batchStride, 0, rowStride);
        a += OneDnn.width(operandType) * aBatch;
        b += OneDnn.width(operandType) * bBatch;
      }
    } else if (batch == 1
        && operandType == dnnl_f32
        && bColumn == 1
        && Float.BYTES * bRow % PAGE == 0
        && (flags & (BIAS | ADDEND)) == 0) {
      panels(address, rowStride);
    } else {
      run(address, batch == 1 ? 0 : batchStride, rowStride);
    }
  }

  /**
   * A product with the transpose of a plain matrix, the rows that fill no block by themselves:
   * 50,257 rows in one took a fifth longer with oneDNN 3.11 than so, of bfloat16.
   */
  private void evenly(long address, long rowStride) {
    long all = m;
    m -= m % EVEN_ROWS;
    into(address, 0, rowStride);
    a += OneDnn.width(operandType) * m;
    long rest = address + OneDnn.width(resultType) * m * rowStride;
    m = all - m;
    into(rest, 0, rowStride);
  }

  /**
   * Products with a plain B whose rows are whole pages apart, in panels of columns whose number is
   * a power of two: only of such does oneDNN 3.11 copy B into blocks. Read in place, such rows took
   * up to three times as long, presumably since they displace each other from the cache.
   */
  private void panels(long address, long rowStride) {
    long columns = n;
    long start = b;
    for (long from = 0; from < columns; from += n) {
      long panel = Long.highestOneBit(columns - from);
      n = panel < LEAST_PANEL ? columns - from : panel;
      b = start + Float.BYTES * from;
      run(address + Float.BYTES * from, 0, rowStride);
    }
  }

  private void run(long address, long cBatch, long rowStride) {
    long operand = (flags & PACK) != 0 ? packed(cBatch, rowStride) : b;
    key(operation, cBatch, rowStride);
    OneDnnPrimitive primitive = context.find();
    if (primitive == null) {
      primitive = context.keep(create(cBatch, rowStride));
    }
    primitive.bind(0, a).bind(1, operand).bind(2, address);
    int next = 3;
    if ((flags & BIAS) != 0) {
      primitive.bind(next++, bias);
    }
    if ((flags & FACTOR) != 0) {
      primitive.bind(next++, factor);
    }
    if ((flags & ADDEND) != 0) {
      primitive.bind(next, addend);
    }
    context.run(primitive);
  }

  private void key(int what, long cBatch, long rowStride) {
    context
        .key(what)
        .add(batch)
        .add(m)
        .add(n)
        .add(k)
        .add(batch == 1 ? 0 : aBatch)
        .add(aRow)
        .add(aColumn)
        .add(batch == 1 ? 0 : bBatch)
        .add(bRow)
        .add(bColumn)
        .add(cBatch)
        .add(rowStride)
        .add(flags | (addendRows == 1 ? ADDEND_IS_VECTOR : 0))
        .add(operandType * 64L + resultType)
        .add(Float.floatToRawIntBits(scale));
  }

  /** The address of a copy of B in the layout that oneDNN likes best for this product. */
  private long packed(long cBatch, long rowStride) {
    key(operation + 1, cBatch, rowStride);
    OneDnnPrimitive reorder = context.find();
    if (reorder == null) {
      dnnl_memory_desc plain = layout(operandType, k, n, bBatch, bRow, bColumn);
      dnnl_memory_desc layout = packedLayout(cBatch, rowStride);
      dnnl_primitive_attr attributes = OneDnnContext.attributes();
      dnnl_primitive_desc description = new dnnl_primitive_desc();
      check(
          dnnl_reorder_primitive_desc_create(
              description, plain, OneDnn.engine(), layout, OneDnn.engine(), attributes),
          "packing");
      dnnl_primitive_attr_destroy(attributes);
      int[] names = {DNNL_ARG_FROM, DNNL_ARG_TO};
      reorder = context.keep(new OneDnnPrimitive(description, names, plain, layout));
    }
    long bytes = OneDnn.width(operandType) * (k + LARGEST_BLOCK) * (n + LARGEST_BLOCK);
    long address = context.operand(bytes);
    context.run(reorder.bind(0, b).bind(1, address));
    return address;
  }

  /** The caller destroys it. */
  private dnnl_memory_desc packedLayout(long cBatch, long cRow) {
    dnnl_memory_desc any = new dnnl_memory_desc();
    check(
        dnnl_memory_desc_create_with_tag(
            any, 2, new long[] {k, n}, operandType, dnnl_format_tag_any),
        "memory layout");
    List<dnnl_memory_desc> layouts = layouts(any, cBatch, cRow);
    dnnl_primitive_desc description = describe(new ArrayList<>(), layouts);
    dnnl_memory_desc layout = new dnnl_memory_desc();
    check(
        dnnl_memory_desc_clone(
            layout, dnnl_primitive_desc_query_md(description, dnnl_query_weights_md, 0)),
        "packed layout");
    layouts.forEach(each -> check(dnnl_memory_desc_destroy(each), "layout"));
    check(dnnl_primitive_desc_destroy(description), "description");
    return layout;
  }

  private OneDnnPrimitive create(long cBatch, long cRow) {
    List<Integer> names = new ArrayList<>(List.of(DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST));
    dnnl_memory_desc operand =
        (flags & PACK) != 0
            ? packedLayout(cBatch, cRow)
            : layout(operandType, k, n, bBatch, bRow, bColumn);
    List<dnnl_memory_desc> layouts = layouts(operand, cBatch, cRow);
    dnnl_primitive_desc description = describe(names, layouts);
    return new OneDnnPrimitive(
        description,
        names.stream().mapToInt(Integer::intValue).toArray(),
        layouts.toArray(dnnl_memory_desc[]::new));
  }

  /** Layouts of A, a given one of B, and of C. */
  private List<dnnl_memory_desc> layouts(dnnl_memory_desc operand, long cBatch, long cRow) {
    return new ArrayList<>(
        List.of(
            layout(operandType, m, k, aBatch, aRow, aColumn),
            operand,
            layout(resultType, m, n, cBatch, cRow, 1)));
  }

  /** Describes the product, and adds names and layouts of the arguments beside A, B and C. */
  private dnnl_primitive_desc describe(List<Integer> names, List<dnnl_memory_desc> layouts) {
    dnnl_memory_desc biasLayout = null;
    if ((flags & BIAS) != 0) {
      biasLayout = batch == 1 ? dense(1, n) : dense(1, 1, n);
      names.add(DNNL_ARG_BIAS);
      layouts.add(biasLayout);
    }
    dnnl_primitive_attr attributes = OneDnnContext.attributes();
    addPostOperations(attributes, names, layouts);
    dnnl_primitive_desc description = new dnnl_primitive_desc();
    check(
        dnnl_matmul_primitive_desc_create(
            description,
            OneDnn.engine(),
            layouts.get(0),
            layouts.get(1),
            biasLayout,
            layouts.get(2),
            attributes),
        "matmul");
    dnnl_primitive_attr_destroy(attributes);
    return description;
  }

  private void addPostOperations(
      dnnl_primitive_attr attributes, List<Integer> names, List<dnnl_memory_desc> layouts) {
    dnnl_post_ops postOps = new dnnl_post_ops();
    check(dnnl_post_ops_create(postOps), "post-operations");
    int index = 0;
    if ((flags & SCALE) != 0) {
      check(dnnl_post_ops_append_eltwise(postOps, dnnl_eltwise_linear, scale, 0), "scale");
      index++;
    }
    if ((flags & FACTOR) != 0) {
      dnnl_memory_desc number = batch == 1 ? dense(1, 1) : dense(1, 1, 1);
      check(dnnl_post_ops_append_binary(postOps, dnnl_binary_mul, number), "factor");
      names.add(postOperation(index++));
      layouts.add(number);
    }
    if ((flags & ADDEND) != 0) {
      dnnl_memory_desc layout = batch == 1 ? dense(addendRows, n) : dense(1, addendRows, n);
      check(dnnl_post_ops_append_binary(postOps, dnnl_binary_add, layout), "addition");
      names.add(postOperation(index));
      layouts.add(layout);
    }
    if ((flags & ACCUMULATE) != 0) {
      check(dnnl_post_ops_append_sum(postOps, 1, 0, resultType), "sum");
    }
    check(dnnl_primitive_attr_set_post_ops(attributes, postOps), "post-operations");
    dnnl_post_ops_destroy(postOps);
  }

  private static int postOperation(int index) {
    return (DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE * (index + 1)) | DNNL_ARG_SRC_1;
  }

  private dnnl_memory_desc layout(
      int type, long rows, long columns, long batchStride, long rowStride, long columnStride) {
    return batch == 1
        ? strided(type, new long[] {rows, columns}, new long[] {rowStride, columnStride})
        : strided(
            type,
            new long[] {batch, rows, columns},
            new long[] {batchStride, rowStride, columnStride});
  }
}
