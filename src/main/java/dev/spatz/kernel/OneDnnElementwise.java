package dev.spatz.kernel;

import static dev.spatz.kernel.OneDnn.check;
import static dev.spatz.kernel.OneDnn.dense;
import static dev.spatz.kernel.OneDnn.denseOf;
import static dev.spatz.kernel.OneDnn.strided;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_ATTR_SCALES;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_FROM;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC_1;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_TO;
import static org.bytedeco.dnnl.global.dnnl.dnnl_binary_primitive_desc_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_backward_primitive_desc_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_forward_primitive_desc_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_f32;
import static org.bytedeco.dnnl.global.dnnl.dnnl_forward_training;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_attr_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_attr_set_scales_mask;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_desc_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_reorder_primitive_desc_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_s8;

import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive_attr;
import org.bytedeco.dnnl.dnnl_primitive_desc;

/** Functions of single elements, sums and products of two arrays, and copies between strides. */
final class OneDnnElementwise {
  private static final int FORWARD = 100;
  private static final int BACKWARD = 101;
  private static final int BINARY = 102;
  private static final int REORDER = 103;
  private static final int CONVERT = 104;
  private static final int WIDEN = 105;

  /** oneDNN's name for one scale a row. */
  private static final int ROWS = 1;

  private final OneDnnContext context;

  OneDnnElementwise(OneDnnContext context) {
    this.context = context;
  }

  /** {@code y = f(x)} of oneDNN's function of that number with parameter alpha; y may be x. */
  void forward(int function, float alpha, long count, long x, long y) {
    forward(dnnl_f32, function, alpha, count, x, y);
  }

  /** The same of arrays of one of oneDNN's types. */
  void forward(int type, int function, float alpha, long count, long x, long y) {
    context.key(FORWARD).add(type).add(function);
    context.key().add(Float.floatToRawIntBits(alpha)).add(count);
    OneDnnPrimitive primitive = context.find();
    if (primitive == null) {
      dnnl_primitive_attr attributes = OneDnnContext.attributes();
      dnnl_memory_desc flat = denseOf(type, count);
      dnnl_primitive_desc description = forward(function, alpha, flat, attributes);
      dnnl_primitive_attr_destroy(attributes);
      int[] names = {DNNL_ARG_SRC, DNNL_ARG_DST};
      primitive = context.keep(new OneDnnPrimitive(description, names, flat, denseOf(type, count)));
    }
    context.run(primitive.bind(0, x).bind(1, y));
  }

  /** {@code dX = dY·f′(x)}; dX may be dY. */
  void backward(int function, float alpha, long count, long dY, long x, long dX) {
    backward(dnnl_f32, function, alpha, count, dY, x, dX);
  }

  /** The same of arrays of one of oneDNN's types. */
  void backward(int type, int function, float alpha, long count, long dY, long x, long dX) {
    context.key(BACKWARD).add(type).add(function);
    context.key().add(Float.floatToRawIntBits(alpha)).add(count);
    OneDnnPrimitive primitive = context.find();
    if (primitive == null) {
      dnnl_primitive_attr attributes = OneDnnContext.attributes();
      dnnl_memory_desc flat = denseOf(type, count);
      dnnl_primitive_desc forward = forward(function, alpha, flat, attributes);
      dnnl_primitive_desc description = new dnnl_primitive_desc();
      check(
          dnnl_eltwise_backward_primitive_desc_create(
              description,
              OneDnn.engine(),
              function,
              flat,
              flat,
              flat,
              alpha,
              0,
              forward,
              attributes),
          "elementwise backward");
      dnnl_primitive_desc_destroy(forward);
      dnnl_primitive_attr_destroy(attributes);
      int[] names = {DNNL_ARG_DIFF_DST, DNNL_ARG_SRC, DNNL_ARG_DIFF_SRC};
      primitive =
          context.keep(
              new OneDnnPrimitive(
                  description, names, flat, denseOf(type, count), denseOf(type, count)));
    }
    context.run(primitive.bind(0, dY).bind(1, x).bind(2, dX));
  }

  private static dnnl_primitive_desc forward(
      int function, float alpha, dnnl_memory_desc flat, dnnl_primitive_attr attributes) {
    dnnl_primitive_desc description = new dnnl_primitive_desc();
    check(
        dnnl_eltwise_forward_primitive_desc_create(
            description,
            OneDnn.engine(),
            dnnl_forward_training,
            function,
            flat,
            flat,
            alpha,
            0,
            attributes),
        "elementwise forward");
    return description;
  }

  /** {@code out = a∘b} with oneDNN's binary operation of that number; out may be a. */
  void binary(int operation, long count, long a, long b, long out) {
    context.key(BINARY).add(operation).add(count);
    OneDnnPrimitive primitive = context.find();
    if (primitive == null) {
      dnnl_primitive_attr attributes = OneDnnContext.attributes();
      dnnl_memory_desc flat = dense(count);
      dnnl_primitive_desc description = new dnnl_primitive_desc();
      check(
          dnnl_binary_primitive_desc_create(
              description, OneDnn.engine(), operation, flat, flat, flat, attributes),
          "binary operation");
      dnnl_primitive_attr_destroy(attributes);
      int[] names = {DNNL_ARG_SRC, DNNL_ARG_SRC_1, DNNL_ARG_DST};
      primitive =
          context.keep(new OneDnnPrimitive(description, names, flat, dense(count), dense(count)));
    }
    context.run(primitive.bind(0, a).bind(1, b).bind(2, out));
  }

  /** Copies a float32 matrix between two places with strides of their own. */
  void copy(
      long rows,
      long columns,
      long from,
      long fromRow,
      long fromColumn,
      long to,
      long toRow,
      long toColumn) {
    context.key(REORDER).add(rows).add(columns);
    context.key().add(fromRow).add(fromColumn).add(toRow).add(toColumn);
    OneDnnPrimitive primitive = context.find();
    if (primitive == null) {
      long[] sizes = {rows, columns};
      dnnl_memory_desc source = strided(sizes, new long[] {fromRow, fromColumn});
      dnnl_memory_desc target = strided(sizes, new long[] {toRow, toColumn});
      primitive = context.keep(reorder(source, target));
    }
    context.run(primitive.bind(0, from).bind(1, to));
  }

  /** Copies a matrix into one of another type, both without gaps in their rows. */
  void convert(
      int fromType,
      int toType,
      long rows,
      long columns,
      long from,
      long fromRow,
      long to,
      long toRow) {
    context.key(CONVERT).add(fromType).add(toType);
    context.key().add(rows).add(columns).add(fromRow).add(toRow);
    OneDnnPrimitive primitive = context.find();
    if (primitive == null) {
      long[] sizes = {rows, columns};
      dnnl_memory_desc source = strided(fromType, sizes, new long[] {fromRow, 1});
      dnnl_memory_desc target = strided(toType, sizes, new long[] {toRow, 1});
      primitive = context.keep(reorder(source, target));
    }
    context.run(primitive.bind(0, from).bind(1, to));
  }

  /** Copies an array into one of another type. */
  void convert(int fromType, int toType, long count, long from, long to) {
    convert(fromType, toType, 1, count, from, count, to, count);
  }

  /** {@code to = scales·from}: int8 rows, a scale for each, into an array of a type. */
  void widen(int toType, long rows, long columns, long from, long scales, long to) {
    context.key(WIDEN).add(toType).add(rows).add(columns);
    OneDnnPrimitive primitive = context.find();
    if (primitive == null) {
      long[] sizes = {rows, columns};
      dnnl_memory_desc source = denseOf(dnnl_s8, sizes);
      dnnl_memory_desc target = denseOf(toType, sizes);
      dnnl_primitive_attr attributes = OneDnnContext.attributes();
      check(dnnl_primitive_attr_set_scales_mask(attributes, DNNL_ARG_FROM, ROWS), "scales");
      dnnl_primitive_desc description = reorder(source, target, attributes);
      int[] names = {DNNL_ARG_FROM, DNNL_ARG_TO, DNNL_ARG_ATTR_SCALES | DNNL_ARG_FROM};
      primitive =
          context.keep(new OneDnnPrimitive(description, names, source, target, dense(rows)));
    }
    context.run(primitive.bind(0, from).bind(1, to).bind(2, scales));
  }

  private static OneDnnPrimitive reorder(dnnl_memory_desc source, dnnl_memory_desc target) {
    dnnl_primitive_desc description = reorder(source, target, OneDnnContext.attributes());
    return new OneDnnPrimitive(description, new int[] {DNNL_ARG_FROM, DNNL_ARG_TO}, source, target);
  }

  private static dnnl_primitive_desc reorder(
      dnnl_memory_desc source, dnnl_memory_desc target, dnnl_primitive_attr attributes) {
    dnnl_primitive_desc description = new dnnl_primitive_desc();
    check(
        dnnl_reorder_primitive_desc_create(
            description, source, OneDnn.engine(), target, OneDnn.engine(), attributes),
        "copy");
    dnnl_primitive_attr_destroy(attributes);
    return description;
  }
}
