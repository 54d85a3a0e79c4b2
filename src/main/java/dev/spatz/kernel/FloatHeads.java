package dev.spatz.kernel;

import java.util.Arrays;

/**
 * Root-mean-square normalization of query and key heads in float32, as Java loops over one row at a
 * time. Backward, d is a row of gradients, n of normalized heads.
 */
final class FloatHeads {
  private final NativeFloats memory;
  private float[] d = new float[0];
  private float[] n = new float[0];
  private float[] inverses = new float[0];
  private final float[][] gains = new float[2][0];
  private final float[][] dGains = new float[2][0];

  FloatHeads(NativeFloats memory) {
    this.memory = memory;
  }

  void normalize(
      long qkv,
      long rows,
      AttentionShape shape,
      long queryGain,
      long keyGain,
      double epsilon,
      long normalized,
      long inverseRms) {
    int size = shape.headSize();
    int heads = room(shape, queryGain, keyGain);
    int width = heads * size;
    for (long row = 0; row < rows; row++) {
      long at = qkv + Float.BYTES * row * shape.rowWidth();
      memory.read(at, d, 0, width);
      for (int head = 0; head < heads; head++) {
        float squares = FloatRmsBackward.dot(d, d, head * size, size);
        float inverse = (float) (1 / Math.sqrt(squares / size + epsilon));
        inverses[head] = inverse;
        scale(d, n, head * size, inverse, gains[head < shape.heads() ? 0 : 1], size);
      }
      memory.write(at, d, 0, width);
      memory.write(normalized + Float.BYTES * row * width, n, 0, width);
      memory.write(inverseRms + Float.BYTES * row * heads, inverses, 0, heads);
    }
  }

  private static void scale(
      float[] x, float[] normalized, int at, float inverse, float[] gain, int size) {
    for (int i = 0; i < size; i++) {
      float value = x[at + i] * inverse;
      normalized[at + i] = value;
      x[at + i] = value * gain[i];
    }
  }

  /** A gain that gets no gradient has the address 0. */
  void backward(
      long dQkv,
      long rows,
      AttentionShape shape,
      long queryGain,
      long keyGain,
      long normalized,
      long inverseRms,
      long dQueryGain,
      long dKeyGain) {
    int size = shape.headSize();
    int heads = room(shape, queryGain, keyGain);
    int width = heads * size;
    for (long row = 0; row < rows; row++) {
      long at = dQkv + Float.BYTES * row * shape.rowWidth();
      memory.read(at, d, 0, width);
      memory.read(normalized + Float.BYTES * row * width, n, 0, width);
      memory.read(inverseRms + Float.BYTES * row * heads, inverses, 0, heads);
      for (int head = 0; head < heads; head++) {
        int kind = head < shape.heads() ? 0 : 1;
        backward(head * size, inverses[head], gains[kind], dGains[kind], size);
      }
      memory.write(at, d, 0, width);
    }
    addTo(dQueryGain, dGains[0], size);
    addTo(dKeyGain, dGains[1], size);
  }

  /** {@code dX = (d − n·mean(d·n)) / rms} with d = dY·gain. */
  private void backward(int at, float inverse, float[] gain, float[] dGain, int size) {
    for (int i = 0; i < size; i++) {
      dGain[i] += d[at + i] * n[at + i];
    }
    for (int i = 0; i < size; i++) {
      d[at + i] *= gain[i];
    }
    float mean = FloatRmsBackward.dot(d, n, at, size) / size;
    for (int i = 0; i < size; i++) {
      d[at + i] = inverse * (d[at + i] - mean * n[at + i]);
    }
  }

  private void addTo(long address, float[] values, int count) {
    if (address != 0) {
      memory.read(address, d, 0, count);
      for (int i = 0; i < count; i++) {
        d[i] += values[i];
      }
      memory.write(address, d, 0, count);
    }
  }

  /** Makes room, reads the gains, and zeroes their gradients; the number of heads. */
  private int room(AttentionShape shape, long queryGain, long keyGain) {
    int size = shape.headSize();
    int heads = shape.heads() + shape.keyValueHeads();
    if (d.length < heads * size) {
      d = new float[heads * size];
      n = new float[heads * size];
    }
    if (inverses.length < heads) {
      inverses = new float[heads];
    }
    for (int kind = 0; kind < 2; kind++) {
      if (gains[kind].length < size) {
        gains[kind] = new float[size];
        dGains[kind] = new float[size];
      }
      memory.read(kind == 0 ? queryGain : keyGain, gains[kind], 0, size);
      Arrays.fill(dGains[kind], 0, size, 0);
    }
    return heads;
  }
}
