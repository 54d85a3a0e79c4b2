package dev.spatz.kernel;

import static org.bytedeco.dnnl.global.dnnl.dnnl_f32;

/**
 * Low-rank updates. Of matrices of another type than float32, a gradient that is float32 (that of
 * the residual stream) is converted first, as {@link OneDnnLinear} does.
 */
final class OneDnnLowRank implements AutoCloseable {
  private static final int TYPED_D_Y = 0;

  private final OneDnnMatmul matmul;
  private final OneDnnElementwise elementwise;
  private final NativeScratch scratch = new NativeScratch(1);

  OneDnnLowRank(OneDnnMatmul matmul, OneDnnElementwise elementwise) {
    this.matmul = matmul;
    this.elementwise = elementwise;
  }

  /**
   * Sizes and oneDNN's types of an update.
   *
   * @param width columns of the whole result, of which {@code out} from {@code first} on change
   * @param type of the input, the matrices and what is between them
   * @param resultType of the result, or the gradient of that
   */
  record Shape(
      long rows, long in, long rank, long out, long first, long width, int type, int resultType) {}

  void forward(Shape shape, long x, long a, long b, float scale, long inner, long y) {
    long start = y + OneDnn.width(shape.resultType) * shape.first;
    matmul.size(1, shape.rows, shape.rank, shape.in).types(shape.type, shape.type);
    matmul.a(x, 0, shape.in, 1).b(a, 0, 1, shape.in).into(inner, 0, shape.rank);
    matmul.size(1, shape.rows, shape.out, shape.rank).types(shape.type, shape.resultType);
    matmul.a(inner, 0, shape.rank, 1).b(b, 0, 1, shape.rank);
    matmul.scale(scale).accumulate().into(start, 0, shape.width);
  }

  /** An address of 0 is no array. */
  void backward(
      Shape shape,
      long dY,
      long x,
      long a,
      long b,
      float scale,
      long inner,
      long dInner,
      long dX,
      WriteMode mode,
      long dA,
      long dB) {
    long typed = dY;
    if (shape.resultType != shape.type) {
      long count = shape.rows * shape.width;
      typed = scratch.bytes(TYPED_D_Y, OneDnn.width(shape.type) * count);
      elementwise.convert(shape.resultType, shape.type, count, dY, typed);
    }
    long start = typed + OneDnn.width(shape.type) * shape.first;
    matmul.size(1, shape.rows, shape.rank, shape.out).types(shape.type, shape.type);
    matmul.a(start, 0, shape.width, 1).b(b, 0, shape.rank, 1);
    matmul.scale(scale).into(dInner, 0, shape.rank);
    if (dB != 0) {
      matmul.size(1, shape.out, shape.rank, shape.rows).types(shape.type, dnnl_f32);
      matmul.a(start, 0, 1, shape.width).b(inner, 0, shape.rank, 1);
      matmul.scale(scale).write(mode).into(dB, 0, shape.rank);
    }
    if (dX != 0) {
      matmul.size(1, shape.rows, shape.in, shape.rank).types(shape.type, shape.type);
      matmul.a(dInner, 0, shape.rank, 1).b(a, 0, shape.in, 1);
      matmul.accumulate().into(dX, 0, shape.in);
    }
    if (dA != 0) {
      matmul.size(1, shape.rank, shape.in, shape.rows).types(shape.type, dnnl_f32);
      matmul.a(dInner, 0, 1, shape.rank).b(x, 0, shape.in, 1);
      matmul.write(mode).into(dA, 0, shape.in);
    }
  }

  @Override
  public void close() {
    scratch.close();
  }
}
