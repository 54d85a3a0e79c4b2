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
 * What a product of {@link OneDnnMatmul} is: all that oneDNN's primitive for it depends on, and how
 * that primitive is made. One object is described again for each product.
 */
final class OneDnnProduct {
  static final int BIAS = 1;
  static final int ACCUMULATE = 2;
  static final int SCALE = 4;
  static final int ADDEND = 8;
  static final int FACTOR = 16;
  static final int PACK = 32;

  int operandType;
  int resultType;
  long batch;
  long m;
  long n;
  long k;
  long aBatch;
  long aRow;
  long aColumn;
  long bBatch;
  long bRow;
  long bColumn;
  long cBatch;
  long cRow;
  float scale;
  long addendRows;
  private int flags;

  /** Begins a description of float32 matrices. */
  void begin() {
    operandType = dnnl_f32;
    resultType = dnnl_f32;
    scale = 1;
    addendRows = 0;
    flags = 0;
  }

  /** Whether something belongs to the product. */
  boolean has(int flag) {
    return (flags & flag) != 0;
  }

  void add(int flag) {
    flags |= flag;
  }

  /** Adds all of it to the key of an operation. */
  void addTo(ShapeKey key) {
    boolean single = batch == 1;
    key.add(batch).add(m).add(n).add(k);
    key.add(single ? 0 : aBatch).add(aRow).add(aColumn);
    key.add(single ? 0 : bBatch).add(bRow).add(bColumn);
    key.add(single ? 0 : cBatch).add(cRow);
    key.add(flags).add(addendRows == 1 ? 1 : 0);
    key.add(operandType * 64L + resultType).add(Float.floatToRawIntBits(scale));
  }

  /** Brings B into the layout that oneDNN likes best for this product. */
  OneDnnPrimitive packing() {
    dnnl_memory_desc plain = layout(operandType, k, n, bBatch, bRow, bColumn);
    dnnl_memory_desc layout = packedLayout();
    dnnl_primitive_attr attributes = OneDnnContext.attributes();
    dnnl_primitive_desc description = new dnnl_primitive_desc();
    check(
        dnnl_reorder_primitive_desc_create(
            description, plain, OneDnn.engine(), layout, OneDnn.engine(), attributes),
        "packing");
    dnnl_primitive_attr_destroy(attributes);
    int[] names = {DNNL_ARG_FROM, DNNL_ARG_TO};
    return new OneDnnPrimitive(description, names, plain, layout);
  }

  /** The caller destroys it. */
  private dnnl_memory_desc packedLayout() {
    dnnl_memory_desc any = new dnnl_memory_desc();
    check(
        dnnl_memory_desc_create_with_tag(
            any, 2, new long[] {k, n}, operandType, dnnl_format_tag_any),
        "memory layout");
    List<dnnl_memory_desc> layouts = layouts(any);
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

  /**
   * The product: A, B and C are its first arguments, then bias, factor and addend, as far as they
   * belong to it.
   */
  OneDnnPrimitive create() {
    List<Integer> names = new ArrayList<>(List.of(DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST));
    dnnl_memory_desc operand =
        has(PACK) ? packedLayout() : layout(operandType, k, n, bBatch, bRow, bColumn);
    List<dnnl_memory_desc> layouts = layouts(operand);
    dnnl_primitive_desc description = describe(names, layouts);
    return new OneDnnPrimitive(
        description,
        names.stream().mapToInt(Integer::intValue).toArray(),
        layouts.toArray(dnnl_memory_desc[]::new));
  }

  /** Layouts of A, a given one of B, and of C. */
  private List<dnnl_memory_desc> layouts(dnnl_memory_desc operand) {
    return new ArrayList<>(
        List.of(
            layout(operandType, m, k, aBatch, aRow, aColumn),
            operand,
            layout(resultType, m, n, cBatch, cRow, 1)));
  }

  /** Describes the product, and adds names and layouts of the arguments beside A, B and C. */
  private dnnl_primitive_desc describe(List<Integer> names, List<dnnl_memory_desc> layouts) {
    dnnl_memory_desc biasLayout = null;
    if (has(BIAS)) {
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
    if (has(SCALE)) {
      check(dnnl_post_ops_append_eltwise(postOps, dnnl_eltwise_linear, scale, 0), "scale");
      index++;
    }
    if (has(FACTOR)) {
      dnnl_memory_desc number = batch == 1 ? dense(1, 1) : dense(1, 1, 1);
      check(dnnl_post_ops_append_binary(postOps, dnnl_binary_mul, number), "factor");
      names.add(postOperation(index++));
      layouts.add(number);
    }
    if (has(ADDEND)) {
      dnnl_memory_desc layout = batch == 1 ? dense(addendRows, n) : dense(1, addendRows, n);
      check(dnnl_post_ops_append_binary(postOps, dnnl_binary_add, layout), "addition");
      names.add(postOperation(index));
      layouts.add(layout);
    }
    if (has(ACCUMULATE)) {
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
