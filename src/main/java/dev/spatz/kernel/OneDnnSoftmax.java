package dev.spatz.kernel;

import static dev.spatz.kernel.OneDnn.check;
import static dev.spatz.kernel.OneDnn.dense;
import static dev.spatz.kernel.OneDnn.denseOf;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.dnnl_f32;
import static org.bytedeco.dnnl.global.dnnl.dnnl_forward_training;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_attr_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_desc_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_softmax_accurate;
import static org.bytedeco.dnnl.global.dnnl.dnnl_softmax_backward_primitive_desc_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_softmax_forward_primitive_desc_create;

import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive_attr;
import org.bytedeco.dnnl.dnnl_primitive_desc;

/** Softmax of each row of a dense matrix. */
final class OneDnnSoftmax {
  private static final int FORWARD = 200;
  private static final int BACKWARD = 201;

  private final OneDnnContext context;

  OneDnnSoftmax(OneDnnContext context) {
    this.context = context;
  }

  /** {@code y = softmax(x)}; y may be x. */
  void forward(long rows, long columns, long x, long y) {
    forward(dnnl_f32, rows, columns, x, y);
  }

  /** The same with a result of one of oneDNN's types. */
  void forward(int type, long rows, long columns, long x, long y) {
    context.key(FORWARD).add(type).add(rows).add(columns);
    OneDnnPrimitive primitive = context.find();
    if (primitive == null) {
      dnnl_primitive_attr attributes = OneDnnContext.attributes();
      dnnl_memory_desc matrix = dense(rows, columns);
      dnnl_memory_desc result = denseOf(type, rows, columns);
      dnnl_primitive_desc description = forward(matrix, result, attributes);
      dnnl_primitive_attr_destroy(attributes);
      int[] names = {DNNL_ARG_SRC, DNNL_ARG_DST};
      primitive = context.keep(new OneDnnPrimitive(description, names, matrix, result));
    }
    context.run(primitive.bind(0, x).bind(1, y));
  }

  /** {@code dX = y·(dY − rowsum(dY·y))} of one of oneDNN's types; dX may be dY. */
  void backward(int type, long rows, long columns, long dY, long y, long dX) {
    context.key(BACKWARD).add(type).add(rows).add(columns);
    OneDnnPrimitive primitive = context.find();
    if (primitive == null) {
      dnnl_primitive_attr attributes = OneDnnContext.attributes();
      dnnl_memory_desc floats = dense(rows, columns);
      dnnl_memory_desc matrix = denseOf(type, rows, columns);
      dnnl_primitive_desc forward = forward(floats, matrix, attributes);
      dnnl_primitive_desc description = new dnnl_primitive_desc();
      check(
          dnnl_softmax_backward_primitive_desc_create(
              description,
              OneDnn.engine(),
              dnnl_softmax_accurate,
              matrix,
              matrix,
              matrix,
              1,
              forward,
              attributes),
          "softmax backward");
      dnnl_memory_desc_destroy(floats);
      dnnl_primitive_desc_destroy(forward);
      dnnl_primitive_attr_destroy(attributes);
      int[] names = {DNNL_ARG_DIFF_DST, DNNL_ARG_DST, DNNL_ARG_DIFF_SRC};
      primitive =
          context.keep(
              new OneDnnPrimitive(
                  description,
                  names,
                  matrix,
                  denseOf(type, rows, columns),
                  denseOf(type, rows, columns)));
    }
    context.run(primitive.bind(0, dY).bind(1, y).bind(2, dX));
  }

  private static dnnl_primitive_desc forward(
      dnnl_memory_desc matrix, dnnl_memory_desc result, dnnl_primitive_attr attributes) {
    dnnl_primitive_desc description = new dnnl_primitive_desc();
    check(
        dnnl_softmax_forward_primitive_desc_create(
            description,
            OneDnn.engine(),
            dnnl_forward_training,
            dnnl_softmax_accurate,
            matrix,
            result,
            1,
            attributes),
        "softmax forward");
    return description;
  }
}
