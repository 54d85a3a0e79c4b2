package dev.spatz.kernel;

import static org.bytedeco.dnnl.global.dnnl.dnnl_binary_mul;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_gelu_erf;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_gelu_tanh;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_swish;
import static org.bytedeco.dnnl.global.dnnl.dnnl_f32;

/** GELU in one pass; SwiGLU a block of rows at a time, on dense copies of its two halves. */
final class OneDnnActivations implements AutoCloseable {
  /** Elements that a block of rows should have, so that its copies stay in the cache. */
  private static final long BLOCK = 32_768;

  private static final int GATE = 0;
  private static final int UP = 1;
  private static final int D_GATE = 2;
  private static final int D_Y = 3;

  private final OneDnnElementwise elementwise;
  private final NativeScratch scratch = new NativeScratch(4);

  OneDnnActivations(OneDnnElementwise elementwise) {
    this.elementwise = elementwise;
  }

  void gelu(Gelu form, int type, long count, long x, long y) {
    elementwise.forward(type, function(form), 0, count, x, y);
  }

  void geluBackward(Gelu form, int type, long count, long dY, long x, long dX) {
    elementwise.backward(type, function(form), 0, count, dY, x, dX);
  }

  private static int function(Gelu form) {
    return form == Gelu.EXACT ? dnnl_eltwise_gelu_erf : dnnl_eltwise_gelu_tanh;
  }

  void swiGlu(int type, long rows, long width, long gateUp, long y) {
    long block = blockRows(width);
    for (long from = 0; from < rows; from += block) {
      long count = Math.min(block, rows - from);
      long in = gateUp + 2 * OneDnn.width(type) * from * width;
      long gate = dense(type, GATE, count, width, in);
      long up = dense(type, UP, count, width, in + OneDnn.width(type) * width);
      elementwise.forward(dnnl_eltwise_swish, 1, count * width, gate, gate);
      long out = y + OneDnn.width(type) * from * width;
      long product = type == dnnl_f32 ? out : gate;
      elementwise.binary(dnnl_binary_mul, count * width, gate, up, product);
      if (product != out) {
        elementwise.convert(dnnl_f32, type, count * width, product, out);
      }
    }
  }

  void swiGluBackward(int type, long rows, long width, long dY, long gateUp, long dGateUp) {
    int bytes = OneDnn.width(type);
    long block = blockRows(width);
    for (long from = 0; from < rows; from += block) {
      long count = Math.min(block, rows - from);
      long size = count * width;
      long in = gateUp + 2 * bytes * from * width;
      long out = dGateUp + 2 * bytes * from * width;
      long dYBlock = dY + bytes * from * width;
      if (type != dnnl_f32) {
        dYBlock = scratch.floats(D_Y, size);
        elementwise.convert(type, dnnl_f32, size, dY + bytes * from * width, dYBlock);
      }
      long gate = dense(type, GATE, count, width, in);
      long up = dense(type, UP, count, width, in + bytes * width);
      long dGate = scratch.floats(D_GATE, size);
      elementwise.binary(dnnl_binary_mul, size, dYBlock, up, dGate);
      elementwise.backward(dnnl_eltwise_swish, 1, size, dGate, gate, dGate);
      elementwise.convert(dnnl_f32, type, count, width, dGate, width, out, 2 * width);
      long dUp = up;
      elementwise.forward(dnnl_eltwise_swish, 1, size, gate, gate);
      elementwise.binary(dnnl_binary_mul, size, gate, dYBlock, dUp);
      long upOut = out + bytes * width;
      elementwise.convert(dnnl_f32, type, count, width, dUp, width, upOut, 2 * width);
    }
  }

  private static long blockRows(long width) {
    return Math.max(1, BLOCK / width);
  }

  /** A dense float32 copy of one half of the rows at an address. */
  private long dense(int type, int slot, long rows, long width, long address) {
    long copy = scratch.floats(slot, rows * width);
    elementwise.convert(type, dnnl_f32, rows, width, address, 2 * width, copy, width);
    return copy;
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
