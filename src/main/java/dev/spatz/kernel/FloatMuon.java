package dev.spatz.kernel;

/** Muon steps of float32 matrices: products by oneDNN, the rest Java loops over blocks. */
final class FloatMuon implements AutoCloseable {
  private static final int X = 0;
  private static final int NEXT = 1;
  private static final int GRAM = 2;
  private static final int POLYNOMIAL = 3;

  private final OneDnnMatmul matmul;
  private final NativeFloats memory;
  private final NativeScratch scratch = new NativeScratch(4);
  private final float[] a = new float[NativeFloats.BLOCK];
  private final float[] b = new float[NativeFloats.BLOCK];

  FloatMuon(OneDnnMatmul matmul, NativeFloats memory) {
    this.matmul = matmul;
    this.memory = memory;
  }

  /** As {@link Kernels#muon}, from the addresses of the matrices. */
  void apply(long weights, long gradients, long moment, long rows, long columns, MuonStep step) {
    long size = rows * columns;
    long x = scratch.floats(X, size);
    double squares = direction(gradients, moment, x, size, step);
    scale(x, size, (float) (1 / (Math.sqrt(squares) + NewtonSchulz.EPSILON)));
    long orthogonal = orthogonalize(x, scratch.floats(NEXT, size), rows, columns);
    double rate = step.learningRate() * NewtonSchulz.scale(rows, columns);
    float keep = (float) (1 - step.learningRate() * step.weightDecay());
    subtract(weights, orthogonal, size, keep, (float) rate);
  }

  /** Updates the moment and writes Nesterov's direction; returns the sum of its squares. */
  private double direction(long gradients, long moment, long x, long size, MuonStep step) {
    float momentum = (float) step.momentum();
    float rest = (float) (1 - step.momentum());
    float scale = (float) step.gradientScale();
    double squares = 0;
    for (long at = 0; at < size; at += NativeFloats.BLOCK) {
      int count = (int) Math.min(NativeFloats.BLOCK, size - at);
      long offset = Float.BYTES * at;
      memory.read(gradients + offset, a, 0, count);
      memory.read(moment + offset, b, 0, count);
      for (int i = 0; i < count; i++) {
        float gradient = scale * a[i];
        float mean = momentum * b[i] + rest * gradient;
        b[i] = mean;
        a[i] = rest * gradient + momentum * mean;
      }
      for (int i = 0; i < count; i++) {
        squares += (double) a[i] * a[i];
      }
      memory.write(moment + offset, b, 0, count);
      memory.write(x + offset, a, 0, count);
    }
    return squares;
  }

  private void scale(long x, long size, float factor) {
    for (long at = 0; at < size; at += NativeFloats.BLOCK) {
      int count = (int) Math.min(NativeFloats.BLOCK, size - at);
      memory.read(x + Float.BYTES * at, a, 0, count);
      for (int i = 0; i < count; i++) {
        a[i] *= factor;
      }
      memory.write(x + Float.BYTES * at, a, 0, count);
    }
  }

  /** Iterates between two matrices; returns the one with the result. */
  private long orthogonalize(long x, long next, long rows, long columns) {
    boolean tall = rows > columns;
    long side = Math.min(rows, columns);
    long gram = scratch.floats(GRAM, side * side);
    long polynomial = scratch.floats(POLYNOMIAL, side * side);
    for (int i = 0; i < NewtonSchulz.STEPS; i++) {
      if (tall) {
        matmul.size(side, side, rows).a(x, 0, 1, columns).b(x, 0, columns, 1);
      } else {
        matmul.size(side, side, columns).a(x, 0, columns, 1).b(x, 0, 1, columns);
      }
      matmul.into(gram, 0, side);
      matmul.size(side, side, side).a(gram, 0, side, 1).b(gram, 0, side, 1);
      matmul.scale((float) NewtonSchulz.C).into(polynomial, 0, side);
      complete(polynomial, gram, side);
      if (tall) {
        matmul.size(rows, side, side).a(x, 0, side, 1).b(polynomial, 0, side, 1);
      } else {
        matmul.size(side, columns, side).a(polynomial, 0, side, 1).b(x, 0, columns, 1);
      }
      matmul.into(next, 0, columns);
      long result = next;
      next = x;
      x = result;
    }
    return x;
  }

  /** Adds bA + aI. */
  private void complete(long polynomial, long gram, long side) {
    long size = side * side;
    long diagonal = 0;
    for (long at = 0; at < size; at += NativeFloats.BLOCK) {
      int count = (int) Math.min(NativeFloats.BLOCK, size - at);
      long offset = Float.BYTES * at;
      memory.read(gram + offset, a, 0, count);
      memory.read(polynomial + offset, b, 0, count);
      for (int i = 0; i < count; i++) {
        b[i] += (float) NewtonSchulz.B * a[i];
      }
      for (; diagonal < at + count; diagonal += side + 1) {
        b[(int) (diagonal - at)] += (float) NewtonSchulz.A;
      }
      memory.write(polynomial + offset, b, 0, count);
    }
  }

  private void subtract(long weights, long x, long size, float keep, float rate) {
    for (long at = 0; at < size; at += NativeFloats.BLOCK) {
      int count = (int) Math.min(NativeFloats.BLOCK, size - at);
      long offset = Float.BYTES * at;
      memory.read(weights + offset, a, 0, count);
      memory.read(x + offset, b, 0, count);
      for (int i = 0; i < count; i++) {
        a[i] = keep * a[i] - rate * b[i];
      }
      memory.write(weights + offset, a, 0, count);
    }
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
