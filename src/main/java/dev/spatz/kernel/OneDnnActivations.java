package dev.spatz.kernel;

import static org.bytedeco.dnnl.global.dnnl.dnnl_binary_mul;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_gelu_erf;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_gelu_tanh;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_swish;

/** GELU in one pass; SwiGLU a block of rows at a time, on dense copies of its two halves. */
final class OneDnnActivations implements AutoCloseable {
  /** Elements that a block of rows should have, so that its copies stay in the cache. */
  private static final long BLOCK = 32_768;

  private static final int GATE = 0;
  private static final int UP = 1;
  private static final int D_GATE = 2;

  private final OneDnnElementwise elementwise;
  private final NativeScratch scratch = new NativeScratch(3);

  OneDnnActivations(OneDnnElementwise elementwise) {
    this.elementwise = elementwise;
  }

  void gelu(Gelu form, long count, long x, long y) {
    elementwise.forward(function(form), 0, count, x, y);
  }

  void geluBackward(Gelu form, long count, long dY, long x, long dX) {
    elementwise.backward(function(form), 0, count, dY, x, dX);
  }

  private static int function(Gelu form) {
    return form == Gelu.EXACT ? dnnl_eltwise_gelu_erf : dnnl_eltwise_gelu_tanh;
  }

  void swiGlu(long rows, long width, long gateUp, long y) {
    long block = blockRows(width);
    for (long from = 0; from < rows; from += block) {
      long count = Math.min(block, rows - from);
      long in = gateUp + 8 * from * width;
      long gate = dense(GATE, count, width, in);
      long up = dense(UP, count, width, in + 4 * width);
      elementwise.forward(dnnl_eltwise_swish, 1, count * width, gate, gate);
      elementwise.binary(dnnl_binary_mul, count * width, gate, up, y + 4 * from * width);
    }
  }

  void swiGluBackward(long rows, long width, long dY, long gateUp, long dGateUp) {
    long block = blockRows(width);
    for (long from = 0; from < rows; from += block) {
      long count = Math.min(block, rows - from);
      long size = count * width;
      long in = gateUp + 8 * from * width;
      long out = dGateUp + 8 * from * width;
      long dYBlock = dY + 4 * from * width;
      long gate = dense(GATE, count, width, in);
      long up = dense(UP, count, width, in + 4 * width);
      long dGate = scratch.floats(D_GATE, size);
      elementwise.binary(dnnl_binary_mul, size, dYBlock, up, dGate);
      elementwise.backward(dnnl_eltwise_swish, 1, size, dGate, gate, dGate);
      elementwise.copy(count, width, dGate, width, 1, out, 2 * width, 1);
      long dUp = up;
      elementwise.forward(dnnl_eltwise_swish, 1, size, gate, gate);
      elementwise.binary(dnnl_binary_mul, size, gate, dYBlock, dUp);
      elementwise.copy(count, width, dUp, width, 1, out + 4 * width, 2 * width, 1);
    }
  }

  private static long blockRows(long width) {
    return Math.max(1, BLOCK / width);
  }

  /** A dense copy of one half of the rows at an address. */
  private long dense(int slot, long rows, long width, long address) {
    long copy = scratch.floats(slot, rows * width);
    elementwise.copy(rows, width, address, 2 * width, 1, copy, width, 1);
    return copy;
  }

  @Override
  public void close() {
    scratch.close();
  }
}
