package dev.spatz.kernel;

import static org.bytedeco.dnnl.global.dnnl.dnnl_f32;

import java.util.Arrays;

/**
 * Linear maps. Of matrices of another type than float32, a gradient that is float32 (that of the
 * residual stream) is converted once for all its products.
 */
final class OneDnnLinear implements AutoCloseable {
  private static final int ONES = 0;
  private static final int TYPED_ONES = 1;
  private static final int TYPED_D_Y = 2;

  private final OneDnnMatmul matmul;
  private final OneDnnElementwise elementwise;
  private final NativeFloats memory;
  private final NativeScratch scratch = new NativeScratch(3);
  private int ones;

  OneDnnLinear(OneDnnMatmul matmul, OneDnnElementwise elementwise, NativeFloats memory) {
    this.matmul = matmul;
    this.elementwise = elementwise;
    this.memory = memory;
  }

  /**
   * Sizes and oneDNN's types of a map.
   *
   * @param type of its input and weight
   * @param resultType of its result, or the gradient of that
   * @param dXType of the gradient of its input
   */
  record Shape(long rows, long in, long out, int type, int resultType, int dXType) {}

  /** An address of 0 is no array; the residual may be the result. */
  void forward(Shape shape, long x, long weight, long bias, long residual, long y) {
    matmul.size(1, shape.rows, shape.out, shape.in).types(shape.type, shape.resultType);
    matmul.a(x, 0, shape.in, 1).b(weight, 0, 1, shape.in);
    if (bias != 0) {
      matmul.bias(bias);
    }
    if (residual == y) {
      matmul.accumulate();
    } else if (residual != 0) {
      matmul.plus(residual, shape.rows);
    }
    matmul.into(y, 0, shape.out);
  }

  /** An address of 0 is no array. */
  void backward(
      Shape shape,
      long dY,
      long x,
      long weight,
      long dX,
      WriteMode mode,
      long dWeight,
      long dBias) {
    long rows = shape.rows;
    long in = shape.in;
    long out = shape.out;
    long typed = dY;
    if (shape.resultType != shape.type) {
      typed = scratch.bytes(TYPED_D_Y, OneDnn.width(shape.type) * rows * out);
      elementwise.convert(shape.resultType, shape.type, rows * out, dY, typed);
    }
    if (dX != 0) {
      matmul.size(1, rows, in, out).types(shape.type, shape.dXType);
      matmul.a(typed, 0, out, 1).b(weight, 0, in, 1).pack().into(dX, 0, in);
    }
    if (dWeight != 0) {
      matmul.size(1, out, in, rows).types(shape.type, dnnl_f32);
      matmul.a(typed, 0, 1, out).b(x, 0, in, 1).write(mode).into(dWeight, 0, in);
    }
    if (dBias != 0) {
      matmul.size(1, 1, out, rows).types(shape.type, dnnl_f32);
      matmul.a(ones(shape.type, (int) rows), 0, rows, 1).b(typed, 0, out, 1);
      matmul.write(mode).into(dBias, 0, out);
    }
  }

  /** The address of a row of ones. */
  private long ones(int type, int count) {
    long address = scratch.floats(ONES, count);
    if (ones < count) {
      float[] values = new float[count];
      Arrays.fill(values, 1);
      memory.write(address, values, 0, count);
      ones = count;
    }
    if (type == dnnl_f32) {
      return address;
    }
    long typed = scratch.floats(TYPED_ONES, count);
    elementwise.convert(dnnl_f32, type, count, address, typed);
    return typed;
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
