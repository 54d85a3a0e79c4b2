package dev.spatz.kernel;

import static dev.spatz.kernel.OneDnn.check;
import static dev.spatz.kernel.OneDnn.dense;
import static dev.spatz.kernel.OneDnn.denseOf;
import static dev.spatz.kernel.OneDnn.strided;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_FROM;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_TO;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;
import static org.bytedeco.dnnl.global.dnnl.dnnl_bf16;
import static org.bytedeco.dnnl.global.dnnl.dnnl_f32;
import static org.bytedeco.dnnl.global.dnnl.dnnl_format_tag_any;
import static org.bytedeco.dnnl.global.dnnl.dnnl_matmul_primitive_desc_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_clone;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_create_submemory;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_create_with_tag;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_equal;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_get_size;
import static org.bytedeco.dnnl.global.dnnl.dnnl_post_ops_append_sum;
import static org.bytedeco.dnnl.global.dnnl.dnnl_post_ops_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_post_ops_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_attr_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_attr_set_post_ops;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_desc_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_desc_query_md;
import static org.bytedeco.dnnl.global.dnnl.dnnl_query_src_md;
import static org.bytedeco.dnnl.global.dnnl.dnnl_query_weights_md;
import static org.bytedeco.dnnl.global.dnnl.dnnl_reorder_primitive_desc_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_s8;
import static org.bytedeco.dnnl.global.dnnl.dnnl_success;

import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_post_ops;
import org.bytedeco.dnnl.dnnl_primitive_attr;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.jspecify.annotations.Nullable;

/**
 * Linear maps of a few rows with packed weights. A row's bits do not depend on the number of rows:
 * the weights' layout is the same whatever their number, and {@link #inputs} makes oneDNN sum those
 * of a single row in the order of several.
 */
final class OneDnnPackedMatmul implements AutoCloseable {
  private static final int MATMUL = 400;
  private static final int PACK = 401;

  /** For so many rows oneDNN is asked for a layout: for one it names that of a slower product. */
  private static final int LAYOUT_ROWS = 2;

  private static final int X = 0;
  private static final int Y = 1;

  private final OneDnnContext context;
  private final OneDnnElementwise elementwise;
  private final NativeFloats memory;
  private final Int8Rows int8;
  private final NativeScratch scratch = new NativeScratch(2);

  OneDnnPackedMatmul(OneDnnContext context, OneDnnElementwise elementwise, NativeFloats memory) {
    this.context = context;
    this.elementwise = elementwise;
    this.memory = memory;
    this.int8 = new Int8Rows(memory);
  }

  /** oneDNN's number of the type of weights. */
  private static int type(WeightPrecision precision) {
    return switch (precision) {
      case FLOAT32 -> dnnl_f32;
      case BF16 -> dnnl_bf16;
      case INT8 -> dnnl_s8;
    };
  }

  /** Packs weights (outputs,inputs). */
  OneDnnPackedWeights pack(long weight, int outputs, int inputs, WeightPrecision precision) {
    Slices slices = Slices.of(outputs, inputs);
    int type = type(precision);
    long[] sizes = new long[slices.count()];
    boolean joined = precision != WeightPrecision.INT8; // whose sums come after the weights
    dnnl_memory_desc all = layout(type, inputs, slices.outputs());
    for (int i = 0; i < sizes.length; i++) {
      dnnl_memory_desc layout = layout(type, inputs, slices.width(i, 1));
      sizes[i] = dnnl_memory_desc_get_size(layout);
      joined = joined && isPart(layout, all, inputs, slices.width(i, 1));
      dnnl_memory_desc_destroy(layout);
    }
    dnnl_memory_desc_destroy(all);
    OneDnnPackedWeights packed = new OneDnnPackedWeights(slices, inputs, precision, sizes, joined);
    for (int i = 0; i < sizes.length; i++) {
      int first = slices.first(i);
      int width = slices.width(i, 1);
      long from = weight + 4L * first * inputs;
      if (precision == WeightPrecision.INT8) {
        long digits = scratch.bytes(X, (long) width * inputs);
        int8.weights(from, width, inputs, digits, packed.scales, first);
        pack(dnnl_s8, digits, type, inputs, width, packed.address(i));
      } else {
        pack(dnnl_f32, from, type, inputs, width, packed.address(i));
      }
    }
    return packed;
  }

  /**
   * Whether a layout is that of so many outputs within a larger one; false, too, where the inputs
   * do not fill whole blocks, since oneDNN cannot tell then.
   */
  private static boolean isPart(
      dnnl_memory_desc layout, dnnl_memory_desc larger, int inputs, int outputs) {
    dnnl_memory_desc part = new dnnl_memory_desc();
    long[] sizes = {inputs, outputs};
    if (dnnl_memory_desc_create_submemory(part, larger, sizes, new long[2]) != dnnl_success) {
      return false;
    }
    boolean equal = dnnl_memory_desc_equal(part, layout) == 1;
    dnnl_memory_desc_destroy(part);
    return equal;
  }

  private void pack(int fromType, long from, int type, int inputs, int outputs, long to) {
    context.key(PACK).add(type).add(inputs).add(outputs);
    OneDnnPrimitive primitive = context.find();
    if (primitive == null) {
      dnnl_memory_desc source =
          strided(fromType, new long[] {inputs, outputs}, new long[] {1, inputs});
      dnnl_memory_desc target = layout(type, inputs, outputs);
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
   * {@code y = x·weightᵀ (+ bias) (+ residual)}, the columns of some slices, by a single call where
   * the layout allows it; bias and residual are 0 where there is none.
   */
  void apply(
      OneDnnPackedWeights weights,
      int firstSlice,
      int slices,
      int rows,
      long x,
      long bias,
      long residual,
      long y) {
    long source = source(weights.precision, rows, weights.inputs, x);
    int atOnce = weights.joined ? slices : 1;
    for (int slice = firstSlice; slice < firstSlice + slices; slice += atOnce) {
      int first = weights.slices.first(slice);
      int columns = weights.slices.width(slice, atOnce);
      long ownBias = bias == 0 ? 0 : bias + 4L * first;
      long ownResidual = residual == 0 ? 0 : residual + 4L * first;
      long target = y + 4L * first;
      if (weights.precision == WeightPrecision.INT8) {
        int8Columns(weights, slice, columns, rows, source, ownBias, ownResidual, target);
      } else {
        floatColumns(weights, slice, columns, rows, source, ownBias, ownResidual, target);
      }
    }
  }

  /** Inputs as the weights meet them: in the weights' type, or with int8 two rows of digits. */
  private long source(WeightPrecision precision, int rows, int inputs, long x) {
    if (precision == WeightPrecision.INT8) {
      long digits = scratch.bytes(X, 2L * rows * inputs);
      int8.split(x, rows, inputs, digits);
      return digits;
    }
    if (precision == WeightPrecision.FLOAT32) {
      return x;
    }
    long count = (long) rows * inputs;
    long source = scratch.floats(X, count);
    elementwise.convert(dnnl_f32, type(precision), count, x, source);
    return source;
  }

  /** So many columns from the beginning of a slice on; bias, residual and y are of the first. */
  private void floatColumns(
      OneDnnPackedWeights weights,
      int slice,
      int columns,
      int rows,
      long source,
      long bias,
      long residual,
      long y) {
    int outputs = weights.slices.outputs();
    if (residual != 0 && residual != y) {
      for (int r = 0; r < rows; r++) {
        memory.copy(residual + 4L * r * outputs, y + 4L * r * outputs, columns);
      }
    }
    int type = type(weights.precision);
    OneDnnPrimitive primitive =
        primitive(type, rows, columns, weights.inputs, outputs, bias != 0, residual != 0);
    primitive.bind(0, source).bind(1, weights.address(slice)).bind(2, y);
    if (bias != 0) {
      primitive.bind(3, bias);
    }
    context.run(primitive);
  }

  private void int8Columns(
      OneDnnPackedWeights weights,
      int slice,
      int columns,
      int rows,
      long digits,
      long bias,
      long residual,
      long y) {
    long sums = scratch.floats(Y, 2L * rows * columns);
    OneDnnPrimitive primitive =
        primitive(dnnl_s8, 2 * rows, columns, weights.inputs, columns, false, false);
    context.run(primitive.bind(0, digits).bind(1, weights.address(slice)).bind(2, sums));
    int first = weights.slices.first(slice);
    long stride = weights.slices.outputs();
    int8.join(sums, rows, columns, weights.scales, first, bias, residual, y, stride);
  }

  private OneDnnPrimitive primitive(
      int type, int rows, int columns, int inputs, long step, boolean bias, boolean accumulate) {
    context.key(MATMUL).add(type).add(rows).add(columns).add(inputs).add(step);
    context.key().add(bias ? 1 : 0).add(accumulate ? 1 : 0);
    OneDnnPrimitive primitive = context.find();
    if (primitive != null) {
      return primitive;
    }
    dnnl_memory_desc x = denseOf(type, rows, inputs);
    dnnl_memory_desc described = inputs(type, rows, inputs);
    dnnl_memory_desc weights = layout(type, inputs, columns);
    dnnl_memory_desc y = strided(new long[] {rows, columns}, new long[] {step, 1});
    dnnl_memory_desc added = bias ? dense(1, columns) : null;
    dnnl_primitive_desc description = description(described, weights, added, y, accumulate);
    dnnl_memory_desc_destroy(described);
    requireNoPadding(description, x);
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

  /**
   * Inputs as a product is described to oneDNN; the caller destroys it. A row could as well be a
   * transposed column: oneDNN 3.11 takes it for that, if its layout is given, and sums more than
   * 1,024 products in other pieces than those of several rows.
   */
  private static dnnl_memory_desc inputs(int type, int rows, int inputs) {
    return rows == 1 ? undecided(type, rows, inputs) : denseOf(type, rows, inputs);
  }

  /** A row's layout that oneDNN has chosen is the plain one, unless it is padded. */
  private static void requireNoPadding(dnnl_primitive_desc description, dnnl_memory_desc plain) {
    dnnl_memory_desc chosen = dnnl_primitive_desc_query_md(description, dnnl_query_src_md, 0);
    if (dnnl_memory_desc_get_size(chosen) != dnnl_memory_desc_get_size(plain)) {
      throw new IllegalStateException(
          "oneDNN multiplies only padded inputs by packed weights on " + OneDnn.instructionSet());
    }
  }

  /** A matrix whose layout oneDNN chooses; the caller destroys it. */
  private static dnnl_memory_desc undecided(int type, long rows, long columns) {
    dnnl_memory_desc any = new dnnl_memory_desc();
    long[] sizes = {rows, columns};
    check(
        dnnl_memory_desc_create_with_tag(any, sizes.length, sizes, type, dnnl_format_tag_any),
        "memory layout");
    return any;
  }

  /** oneDNN's preferred layout (inputs,outputs) for a few rows; the caller destroys it. */
  private static dnnl_memory_desc layout(int type, int inputs, int outputs) {
    dnnl_memory_desc any = undecided(type, inputs, outputs);
    dnnl_memory_desc x = denseOf(type, LAYOUT_ROWS, inputs);
    dnnl_memory_desc y = dense(LAYOUT_ROWS, outputs);
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

  /** Bytes off the heap. */
  long bytes() {
    return scratch.bytes();
  }

  @Override
  public void close() {
    scratch.close();
  }
}
