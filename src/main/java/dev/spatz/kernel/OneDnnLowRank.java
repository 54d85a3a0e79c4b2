package dev.spatz.kernel;

import static org.bytedeco.dnnl.global.dnnl.dnnl_f32;

/**
 * Low-rank updates: described first, as {@link OneDnnMatmul}, and then run. Of matrices of another
 * type than float32, a gradient that is float32 (that of the residual stream) is converted first,
 * as {@link OneDnnLinear} does.
 */
final class OneDnnLowRank implements AutoCloseable {
  private static final int TYPED_D_Y = 0;

  private final OneDnnMatmul matmul;
  private final OneDnnElementwise elementwise;
  private final NativeScratch scratch = new NativeScratch(1);
  private long rows;
  private long in;
  private long rank;
  private long out;
  private long first;
  private long width;
  private int type = dnnl_f32;
  private int resultType = dnnl_f32;
  private float scale = 1;

  OneDnnLowRank(OneDnnMatmul matmul, OneDnnElementwise elementwise) {
    this.matmul = matmul;
    this.elementwise = elementwise;
  }

  /** The sizes of an update, from now on. */
  OneDnnLowRank size(long rowCount, long inputs, long between, long outputs) {
    rows = rowCount;
    in = inputs;
    rank = between;
    out = outputs;
    return this;
  }

  /** The first of the columns that change, and how many the whole result has, from now on. */
  OneDnnLowRank columns(long firstColumn, long all) {
    first = firstColumn;
    width = all;
    return this;
  }

  /**
   * oneDNN's types of an update, from now on.
   *
   * @param operands of the input, the matrices and what is between them
   * @param result of the result, or the gradient of that
   */
  OneDnnLowRank types(int operands, int result) {
    type = operands;
    resultType = result;
    return this;
  }

  /** The factor of an update, from now on. */
  OneDnnLowRank scale(float factor) {
    scale = factor;
    return this;
  }

  void forward(long x, long a, long b, long inner, long y) {
    long start = y + OneDnn.width(resultType) * first;
    matmul.size(rows, rank, in).types(type, type);
    matmul.a(x, 0, in, 1).b(a, 0, 1, in).into(inner, 0, rank);
    matmul.size(rows, out, rank).types(type, resultType);
    matmul.a(inner, 0, rank, 1).b(b, 0, 1, rank);
    matmul.scale(scale).accumulate().into(start, 0, width);
  }

  /** An address of 0 is no array. */
  void backward(
      long dY,
      long x,
      long a,
      long b,
      long inner,
      long dInner,
      long dX,
      WriteMode mode,
      long dA,
      long dB) {
    long typed = dY;
    if (resultType != type) {
      long count = rows * width;
      typed = scratch.bytes(TYPED_D_Y, OneDnn.width(type) * count);
      elementwise.convert(resultType, type, count, dY, typed);
    }
    long start = typed + OneDnn.width(type) * first;
    matmul.size(rows, rank, out).types(type, type);
    matmul.a(start, 0, width, 1).b(b, 0, rank, 1);
    matmul.scale(scale).into(dInner, 0, rank);
    if (dB != 0) {
      matmul.size(out, rank, rows).types(type, dnnl_f32);
      matmul.a(start, 0, 1, width).b(inner, 0, rank, 1);
      matmul.scale(scale).write(mode).into(dB, 0, rank);
    }
    if (dX != 0) {
      matmul.size(rows, in, rank).types(type, type);
      matmul.a(dInner, 0, rank, 1).b(a, 0, in, 1);
      matmul.accumulate().into(dX, 0, in);
    }
    if (dA != 0) {
      matmul.size(rank, in, rows).types(type, dnnl_f32);
      matmul.a(dInner, 0, 1, rank).b(x, 0, in, 1);
      matmul.write(mode).into(dA, 0, in);
    }
  }

  @Override
  public void close() {
    scratch.close();
  }
}
