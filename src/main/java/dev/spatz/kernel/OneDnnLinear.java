package dev.spatz.kernel;

import static org.bytedeco.dnnl.global.dnnl.dnnl_f32;

import java.util.Arrays;

/**
 * Linear maps: described first, as {@link OneDnnMatmul}, and then run. Of matrices of another type
 * than float32, a gradient that is float32 (that of the residual stream) is converted once for all
 * its products.
 */
final class OneDnnLinear implements AutoCloseable {
  private static final int ONES = 0;
  private static final int TYPED_ONES = 1;
  private static final int TYPED_D_Y = 2;

  private final OneDnnMatmul matmul;
  private final OneDnnElementwise elementwise;
  private final NativeFloats memory;
  private final NativeScratch scratch = new NativeScratch(3);
  private long rows;
  private long in;
  private long out;
  private int type = dnnl_f32;
  private int resultType = dnnl_f32;
  private int ones;

  OneDnnLinear(OneDnnMatmul matmul, OneDnnElementwise elementwise, NativeFloats memory) {
    this.matmul = matmul;
    this.elementwise = elementwise;
    this.memory = memory;
  }

  /** The sizes of a map, from now on. */
  OneDnnLinear size(long rowCount, long inputs, long outputs) {
    rows = rowCount;
    in = inputs;
    out = outputs;
    return this;
  }

  /**
   * oneDNN's types of a map, from now on.
   *
   * @param operands of its input and weight
   * @param result of its result, or the gradient of that
   */
  OneDnnLinear types(int operands, int result) {
    type = operands;
    resultType = result;
    return this;
  }

  /** An address of 0 is no array; the residual may be the result. */
  void forward(long x, long weight, long bias, long residual, long y) {
    matmul.size(rows, out, in).types(type, resultType);
    matmul.a(x, 0, in, 1).b(weight, 0, 1, in);
    if (bias != 0) {
      matmul.bias(bias);
    }
    if (residual != 0 && residual != y && type == dnnl_f32) {
      memory.copy(residual, y, rows * out); // and added to, which is faster, of float32
      residual = y;
    }
    if (residual == y) {
      matmul.accumulate();
    } else if (residual != 0) {
      matmul.plus(residual, rows);
    }
    matmul.into(y, 0, out);
  }

  /** An address of 0 is no array; dX has a type of its own. */
  void backward(
      long dY, long x, long weight, int dXType, long dX, WriteMode mode, long dWeight, long dBias) {
    long typed = dY;
    if (resultType != type) {
      typed = scratch.bytes(TYPED_D_Y, OneDnn.width(type) * rows * out);
      elementwise.convert(resultType, type, rows * out, dY, typed);
    }
    if (dX != 0) {
      matmul.size(rows, in, out).types(type, dXType);
      matmul.a(typed, 0, out, 1).b(weight, 0, in, 1).pack().into(dX, 0, in);
    }
    if (dWeight != 0) {
      matmul.size(out, in, rows).types(type, dnnl_f32);
      matmul.a(typed, 0, 1, out).b(x, 0, in, 1).write(mode).into(dWeight, 0, in);
    }
    if (dBias != 0) {
      matmul.size(1, out, rows).types(type, dnnl_f32);
      matmul.a(ones(type, (int) rows), 0, rows, 1).b(typed, 0, out, 1);
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
