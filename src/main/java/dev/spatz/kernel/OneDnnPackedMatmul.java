package dev.spatz.kernel;

import static dev.spatz.kernel.OneDnn.check;
import static dev.spatz.kernel.OneDnn.dense;
import static dev.spatz.kernel.OneDnn.strided;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_FROM;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_TO;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;
import static org.bytedeco.dnnl.global.dnnl.dnnl_f32;
import static org.bytedeco.dnnl.global.dnnl.dnnl_format_tag_any;
import static org.bytedeco.dnnl.global.dnnl.dnnl_matmul_primitive_desc_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_clone;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_create_with_tag;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_get_size;
import static org.bytedeco.dnnl.global.dnnl.dnnl_post_ops_append_sum;
import static org.bytedeco.dnnl.global.dnnl.dnnl_post_ops_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_post_ops_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_attr_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_attr_set_post_ops;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_desc_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_desc_query_md;
import static org.bytedeco.dnnl.global.dnnl.dnnl_query_weights_md;
import static org.bytedeco.dnnl.global.dnnl.dnnl_reorder_primitive_desc_create;

import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_post_ops;
import org.bytedeco.dnnl.dnnl_primitive_attr;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.jspecify.annotations.Nullable;

/**
 * Linear maps of a few rows with packed weights. A row's bits do not depend on the number of rows:
 * the layout is the one that oneDNN prefers for two rows, whatever their number; a single row is
 * computed as two, since oneDNN 3.11 sums products of a matrix and a vector in another order.
 */
final class OneDnnPackedMatmul implements AutoCloseable {
  private static final int MATMUL = 400;
  private static final int PACK = 401;
  private static final int LEAST_ROWS = 2;
  private static final int X = 0;
  private static final int Y = 1;

  private final OneDnnContext context;
  private final NativeFloats memory;
  private final NativeScratch scratch = new NativeScratch(2);

  OneDnnPackedMatmul(OneDnnContext context, NativeFloats memory) {
    this.context = context;
    this.memory = memory;
  }

  /** Packs weights (outputs,inputs). */
  OneDnnPackedWeights pack(long weight, int outputs, int inputs) {
    Slices slices = Slices.of(outputs, inputs);
    long[] sizes = new long[slices.count()];
    for (int i = 0; i < sizes.length; i++) {
      dnnl_memory_desc layout = layout(inputs, slices.width(i));
      sizes[i] = dnnl_memory_desc_get_size(layout);
      dnnl_memory_desc_destroy(layout);
    }
    OneDnnPackedWeights packed = new OneDnnPackedWeights(slices, inputs, sizes);
    for (int i = 0; i < sizes.length; i++) {
      long from = weight + 4L * slices.first(i) * inputs;
      pack(from, inputs, slices.width(i), packed.address(i));
    }
    return packed;
  }

  private void pack(long from, int inputs, int outputs, long to) {
    context.key(PACK).add(inputs).add(outputs);
    OneDnnPrimitive primitive = context.find();
    if (primitive == null) {
      dnnl_memory_desc source = strided(new long[] {inputs, outputs}, new long[] {1, inputs});
      dnnl_memory_desc target = layout(inputs, outputs);
      dnnl_primitive_attr attributes = OneDnnContext.attributes();
      dnnl_primitive_desc description = new dnnl_primitive_desc();
      check(
          dnnl_reorder_primitive_desc_create(
              description, source, OneDnn.engine(), target, OneDnn.engine(), attributes),
          "packing");
      dnnl_primitive_attr_destroy(attributes);
      int[] names = {DNNL_ARG_FROM, DNNL_ARG_TO};
      primitive = context.keep(new OneDnnPrimitive(description, names, source, target));
    }
    context.run(primitive.bind(0, from).bind(1, to));
  }

  /**
   * {@code y = x·weightᵀ (+ bias) (+ residual)}, the columns of a slice; bias and residual are 0
   * where there is none.
   */
  void apply(
      OneDnnPackedWeights weights, int slice, int rows, long x, long bias, long residual, long y) {
    Slices slices = weights.slices;
    int inputs = weights.inputs;
    int columns = slices.width(slice);
    long offset = 4L * slices.first(slice);
    boolean single = rows < LEAST_ROWS;
    long source = x;
    long target = y + offset;
    if (single) {
      source = scratch.floats(X, (long) LEAST_ROWS * inputs);
      memory.copy(x, source, inputs);
      memory.zero(source + 4L * inputs, inputs);
      target = scratch.floats(Y, (long) LEAST_ROWS * columns);
    }
    long step = 4L * (single ? columns : slices.outputs());
    if (residual != 0) {
      for (int r = 0; r < rows; r++) {
        memory.copy(residual + offset + 4L * r * slices.outputs(), target + r * step, columns);
      }
    }
    OneDnnPrimitive primitive =
        primitive(Math.max(rows, LEAST_ROWS), columns, inputs, step / 4, bias != 0, residual != 0);
    primitive.bind(0, source).bind(1, weights.address(slice)).bind(2, target);
    if (bias != 0) {
      primitive.bind(3, bias + offset);
    }
    context.run(primitive);
    if (single) {
      memory.copy(target, y + offset, columns);
    }
  }

  private OneDnnPrimitive primitive(
      int rows, int columns, int inputs, long step, boolean bias, boolean accumulate) {
    context.key(MATMUL).add(rows).add(columns).add(inputs).add(step);
    context.key().add(bias ? 1 : 0).add(accumulate ? 1 : 0);
    OneDnnPrimitive primitive = context.find();
    if (primitive != null) {
      return primitive;
    }
    dnnl_memory_desc x = dense(rows, inputs);
    dnnl_memory_desc weights = layout(inputs, columns);
    dnnl_memory_desc y = strided(new long[] {rows, columns}, new long[] {step, 1});
    dnnl_memory_desc added = bias ? dense(1, columns) : null;
    dnnl_primitive_desc description = description(x, weights, added, y, accumulate);
    return context.keep(
        added == null
            ? new OneDnnPrimitive(
                description,
                new int[] {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST},
                x,
                weights,
                y)
            : new OneDnnPrimitive(
                description,
                new int[] {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, DNNL_ARG_BIAS},
                x,
                weights,
                y,
                added));
  }

  private static dnnl_primitive_desc description(
      dnnl_memory_desc x,
      dnnl_memory_desc weights,
      @Nullable dnnl_memory_desc bias,
      dnnl_memory_desc y,
      boolean accumulate) {
    dnnl_primitive_attr attributes = OneDnnContext.attributes();
    if (accumulate) {
      dnnl_post_ops postOps = new dnnl_post_ops();
      check(dnnl_post_ops_create(postOps), "post-operations");
      check(dnnl_post_ops_append_sum(postOps, 1, 0, dnnl_f32), "sum");
      check(dnnl_primitive_attr_set_post_ops(attributes, postOps), "post-operations");
      dnnl_post_ops_destroy(postOps);
    }
    dnnl_primitive_desc description = new dnnl_primitive_desc();
    check(
        dnnl_matmul_primitive_desc_create(
            description, OneDnn.engine(), x, weights, bias, y, attributes),
        "matmul of packed weights");
    dnnl_primitive_attr_destroy(attributes);
    return description;
  }

  /** oneDNN's preferred layout (inputs,outputs) for two rows; the caller destroys it. */
  private static dnnl_memory_desc layout(int inputs, int outputs) {
    dnnl_memory_desc any = new dnnl_memory_desc();
    long[] sizes = {inputs, outputs};
    check(
        dnnl_memory_desc_create_with_tag(any, sizes.length, sizes, dnnl_f32, dnnl_format_tag_any),
        "memory layout");
    dnnl_memory_desc x = dense(LEAST_ROWS, inputs);
    dnnl_memory_desc y = dense(LEAST_ROWS, outputs);
    dnnl_primitive_desc description = description(x, any, null, y, false);
    dnnl_memory_desc layout = new dnnl_memory_desc();
    check(
        dnnl_memory_desc_clone(
            layout, dnnl_primitive_desc_query_md(description, dnnl_query_weights_md, 0)),
        "packed layout");
    dnnl_memory_desc_destroy(any);
    dnnl_memory_desc_destroy(x);
    dnnl_memory_desc_destroy(y);
    check(dnnl_primitive_desc_destroy(description), "description");
    return layout;
  }

  @Override
  public void close() {
    scratch.close();
  }
}
