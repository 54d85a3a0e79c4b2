package dev.spatz.kernel;

import static dev.spatz.kernel.OneDnn.check;
import static dev.spatz.kernel.OneDnn.dense;
import static dev.spatz.kernel.OneDnn.denseOf;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SCALE;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SHIFT;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_MEAN;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SCALE;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SHIFT;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_VARIANCE;
import static org.bytedeco.dnnl.global.dnnl.dnnl_backward;
import static org.bytedeco.dnnl.global.dnnl.dnnl_binary_add;
import static org.bytedeco.dnnl.global.dnnl.dnnl_f32;
import static org.bytedeco.dnnl.global.dnnl.dnnl_forward_training;
import static org.bytedeco.dnnl.global.dnnl.dnnl_layer_normalization_backward_primitive_desc_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_layer_normalization_forward_primitive_desc_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_attr_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_desc_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_rms_norm;
import static org.bytedeco.dnnl.global.dnnl.dnnl_use_scale;
import static org.bytedeco.dnnl.global.dnnl.dnnl_use_shift;

import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive_attr;
import org.bytedeco.dnnl.dnnl_primitive_desc;

/**
 * Layer normalization of the rows of a dense matrix, and the forward of root-mean-square
 * normalization: the backward of oneDNN 3.11 is layer normalization's even with its flag for the
 * other, so that is {@link FloatRmsBackward}. An address of 0 means that there is no such array; a
 * forward without a mean is the root mean square's.
 */
final class OneDnnNormalizations implements AutoCloseable {
  private static final int FORWARD = 300;
  private static final int BACKWARD = 301;

  /** Elements that a block of rows should have, so that it stays in the second-level cache. */
  private static final long BLOCK = 32_768;

  /** Up to so many float32 rows, which decoding may have, are normalized by a Java loop. */
  private static final int FEW_ROWS = 64;

  private static final int D_X = 0;
  private static final int D_GAIN = 1;
  private static final int D_BIAS = 2;
  private static final int VARIANCE = 3;
  private static final int D_Y = 4;

  private final OneDnnContext context;
  private final OneDnnElementwise elementwise;
  private final NativeFloats memory;
  private final FloatNormalizations fewRows;
  private final NativeScratch scratch = new NativeScratch(5);
  private final float[] values = new float[NativeFloats.BLOCK];

  OneDnnNormalizations(OneDnnContext context, OneDnnElementwise elementwise, NativeFloats memory) {
    this.context = context;
    this.elementwise = elementwise;
    this.memory = memory;
    this.fewRows = new FloatNormalizations(memory);
  }

  /** {@code y} has one of oneDNN's types. */
  void forward(
      int type,
      int rows,
      int columns,
      long x,
      long gain,
      long bias,
      double epsilon,
      long y,
      long mean,
      long inverse) {
    if (rows <= FEW_ROWS && type == dnnl_f32) {
      fewRows.forward(rows, columns, x, gain, bias, epsilon, y, mean, inverse);
      return;
    }
    float added = (float) epsilon;
    int flags = flags(mean, bias);
    context.key(FORWARD).add(type).add(rows).add(columns).add(flags);
    context.key().add(Float.floatToRawIntBits(added));
    OneDnnPrimitive primitive = context.find();
    if (primitive == null) {
      dnnl_primitive_attr attributes = OneDnnContext.attributes();
      dnnl_memory_desc matrix = dense(rows, columns);
      dnnl_memory_desc statistics = dense(rows);
      dnnl_memory_desc result = denseOf(type, rows, columns);
      dnnl_primitive_desc description =
          forward(matrix, result, statistics, added, flags, attributes);
      dnnl_primitive_attr_destroy(attributes);
      int[] names = {
        DNNL_ARG_SRC, DNNL_ARG_SCALE, DNNL_ARG_DST, DNNL_ARG_VARIANCE, DNNL_ARG_MEAN, DNNL_ARG_SHIFT
      };
      primitive =
          context.keep(
              new OneDnnPrimitive(
                  description,
                  names,
                  matrix,
                  dense(columns),
                  result,
                  statistics,
                  dense(rows),
                  dense(columns)));
    }
    primitive.bind(0, x).bind(1, gain).bind(2, y).bind(3, inverse).bind(4, mean).bind(5, bias);
    context.run(primitive);
    // oneDNN leaves the variance.
    for (int from = 0; from < rows; from += NativeFloats.BLOCK) {
      int count = Math.min(NativeFloats.BLOCK, rows - from);
      memory.read(inverse + 4L * from, values, 0, count);
      for (int i = 0; i < count; i++) {
        values[i] = (float) (1 / Math.sqrt(values[i] + epsilon));
      }
      memory.write(inverse + 4L * from, values, 0, count);
    }
  }

  /**
   * Of layer normalization; adds to all results, a block of rows at a time. {@code dY} has one of
   * oneDNN's types.
   */
  void backward(
      int type,
      int rows,
      int columns,
      long dY,
      long x,
      long gain,
      long mean,
      long inverse,
      long dX,
      long dGain,
      long dBias) {
    int block = (int) Math.max(1, Math.min(Math.min(BLOCK / columns, NativeFloats.BLOCK), rows));
    for (int from = 0; from < rows; from += block) {
      int count = Math.min(block, rows - from);
      long at = 4L * from * columns;
      long row = 4L * from;
      long dYBlock = dY + at;
      if (type != dnnl_f32) {
        dYBlock = scratch.floats(D_Y, (long) count * columns);
        long source = dY + OneDnn.width(type) * (long) from * columns;
        elementwise.convert(type, dnnl_f32, (long) count * columns, source, dYBlock);
      }
      blockBackward(count, columns, dYBlock, x + at, gain, mean + row, inverse + row, dX + at);
      if (dGain != 0) {
        memory.add(dGain, scratch.floats(D_GAIN, columns), columns);
      }
      if (dBias != 0) {
        memory.add(dBias, scratch.floats(D_BIAS, columns), columns);
      }
    }
  }

  private void blockBackward(
      int rows, int columns, long dY, long x, long gain, long mean, long inverse, long dX) {
    long dXBlock = scratch.floats(D_X, (long) rows * columns);
    long variance = scratch.floats(VARIANCE, rows);
    memory.read(inverse, values, 0, rows);
    for (int i = 0; i < rows; i++) {
      values[i] = 1 / (values[i] * values[i]);
    }
    memory.write(variance, values, 0, rows);
    context.key(BACKWARD).add(rows).add(columns);
    OneDnnPrimitive primitive = context.find();
    if (primitive == null) {
      primitive = context.keep(createBackward(rows, columns));
    }
    primitive.bind(0, dY).bind(1, x).bind(2, gain).bind(3, variance).bind(4, mean);
    primitive.bind(5, dXBlock).bind(6, scratch.floats(D_GAIN, columns));
    context.run(primitive.bind(7, scratch.floats(D_BIAS, columns)));
    elementwise.binary(dnnl_binary_add, (long) rows * columns, dX, dXBlock, dX);
  }

  /** With an epsilon of 0: what it is given is the variance plus epsilon. */
  private static OneDnnPrimitive createBackward(int rows, int columns) {
    int flags = dnnl_use_scale | dnnl_use_shift;
    dnnl_primitive_attr attributes = OneDnnContext.attributes();
    dnnl_memory_desc matrix = dense(rows, columns);
    dnnl_memory_desc statistics = dense(rows);
    dnnl_primitive_desc forward = forward(matrix, matrix, statistics, 0, flags, attributes);
    dnnl_primitive_desc description = new dnnl_primitive_desc();
    check(
        dnnl_layer_normalization_backward_primitive_desc_create(
            description,
            OneDnn.engine(),
            dnnl_backward,
            matrix,
            matrix,
            matrix,
            statistics,
            0,
            flags,
            forward,
            attributes),
        "normalization backward");
    dnnl_primitive_desc_destroy(forward);
    dnnl_primitive_attr_destroy(attributes);
    int[] names = {
      DNNL_ARG_DIFF_DST,
      DNNL_ARG_SRC,
      DNNL_ARG_SCALE,
      DNNL_ARG_VARIANCE,
      DNNL_ARG_MEAN,
      DNNL_ARG_DIFF_SRC,
      DNNL_ARG_DIFF_SCALE,
      DNNL_ARG_DIFF_SHIFT
    };
    return new OneDnnPrimitive(
        description,
        names,
        matrix,
        dense(rows, columns),
        dense(columns),
        statistics,
        dense(rows),
        dense(rows, columns),
        dense(columns),
        dense(columns));
  }

  private static dnnl_primitive_desc forward(
      dnnl_memory_desc matrix,
      dnnl_memory_desc result,
      dnnl_memory_desc statistics,
      float epsilon,
      int flags,
      dnnl_primitive_attr attributes) {
    dnnl_primitive_desc description = new dnnl_primitive_desc();
    check(
        dnnl_layer_normalization_forward_primitive_desc_create(
            description,
            OneDnn.engine(),
            dnnl_forward_training,
            matrix,
            result,
            statistics,
            epsilon,
            flags,
            attributes),
        "normalization forward");
    return description;
  }

  private static int flags(long mean, long bias) {
    return dnnl_use_scale | (bias == 0 ? 0 : dnnl_use_shift) | (mean == 0 ? dnnl_rms_norm : 0);
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
