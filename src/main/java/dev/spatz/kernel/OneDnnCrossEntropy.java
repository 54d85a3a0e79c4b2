package dev.spatz.kernel;

import static org.bytedeco.dnnl.global.dnnl.dnnl_f32;

import org.jspecify.annotations.Nullable;

/**
 * The model's head with softmax cross-entropy and its gradients, a chunk of rows at a time. It is
 * described first, as {@link OneDnnMatmul}, and then applied.
 */
final class OneDnnCrossEntropy implements AutoCloseable {
  /** Below this a probability is too small for its logarithm. */
  private static final float SMALLEST = 1e-30f;

  private static final int D_LOGITS = 0;
  private static final int ROW = 1;

  private final OneDnnMatmul matmul;
  private final OneDnnSoftmax softmax;
  private final NativeFloats memory;
  private final OneDnnElementwise elementwise;
  private final NativeScratch scratch = new NativeScratch(2);
  private int type = dnnl_f32;
  private long x;
  private long weight;
  private int vocabulary;
  private int channels;
  private long logits;
  private int chunk;
  private float[] row = new float[0];
  private float[] other = new float[0];

  OneDnnCrossEntropy(
      OneDnnMatmul matmul,
      OneDnnSoftmax softmax,
      OneDnnElementwise elementwise,
      NativeFloats memory) {
    this.matmul = matmul;
    this.softmax = softmax;
    this.elementwise = elementwise;
    this.memory = memory;
  }

  /** oneDNN's type of the hidden states, their gradient and the weight, from now on. */
  OneDnnCrossEntropy of(int elementType) {
    type = elementType;
    return this;
  }

  /** Where the hidden states (R,C) are, from now on. */
  OneDnnCrossEntropy x(long address) {
    x = address;
    return this;
  }

  /** Where the weight (V,C) is, from now on. */
  OneDnnCrossEntropy weight(long address, int rows, int columns) {
    weight = address;
    vocabulary = rows;
    channels = columns;
    return this;
  }

  /** Where the logits of a chunk of so many rows go, from now on. */
  OneDnnCrossEntropy logits(long address, int rows) {
    logits = address;
    chunk = rows;
    return this;
  }

  /** As {@link Kernels#crossEntropy}, of what was said before; an address of 0 is no array. */
  double apply(
      int[] targets,
      double scale,
      double @Nullable [] factors,
      double @Nullable [] losses,
      long dX,
      WriteMode mode,
      long dWeight) {
    int bytes = OneDnn.width(type);
    double sum = 0;
    for (int from = 0; from < targets.length; from += chunk) {
      int rows = Math.min(chunk, targets.length - from);
      long offset = (long) bytes * from * channels;
      long xAt = x + offset;
      matmul
          .size(rows, vocabulary, channels)
          .types(type, dnnl_f32)
          .a(xAt, 0, channels, 1)
          .b(weight, 0, 1, channels)
          .into(logits, 0, vocabulary);
      softmax.forward(rows, vocabulary, logits, logits);
      sum += losses(rows, targets, from, losses);
      if (factors != null && (dX != 0 || dWeight != 0)) {
        multiplyRows(rows, factors, from);
      }
      long dLogits = logits;
      if (type != dnnl_f32 && (dX != 0 || dWeight != 0)) {
        long count = (long) rows * vocabulary;
        dLogits = scratch.bytes(D_LOGITS, bytes * count);
        elementwise.convert(dnnl_f32, type, count, logits, dLogits);
      }
      if (dX != 0) {
        matmul
            .size(rows, channels, vocabulary)
            .types(type, type)
            .a(dLogits, 0, vocabulary, 1)
            .b(weight, 0, channels, 1)
            .pack()
            .times((float) scale)
            .into(dX + offset, 0, channels);
      }
      if (dWeight != 0) {
        matmul
            .size(vocabulary, channels, rows)
            .types(type, dnnl_f32)
            .a(dLogits, 0, 1, vocabulary)
            .b(xAt, 0, channels, 1)
            .times((float) scale)
            .write(from == 0 ? mode : WriteMode.ADD)
            .into(dWeight, 0, channels);
      }
    }
    return sum;
  }

  /** Replaces probabilities by {@code softmax − one-hot}, and rows that do not count by zeros. */
  private double losses(int rows, int[] targets, int from, double @Nullable [] losses) {
    double sum = 0;
    for (int r = 0; r < rows; r++) {
      long probabilities = logits + 4L * r * vocabulary;
      int target = targets[from + r];
      double loss = 0;
      if (target < 0) {
        memory.zero(probabilities, vocabulary);
      } else {
        long address = probabilities + 4L * target;
        float probability = memory.get(address);
        loss =
            probability >= SMALLEST
                ? -Math.log(probability)
                : unlikelyLoss(probabilities, from + r, target);
        memory.put(address, probability - 1);
      }
      sum += loss;
      if (losses != null) {
        losses[from + r] = loss;
      }
    }
    return sum;
  }

  private void multiplyRows(int rows, double[] factors, int from) {
    enlargeRows();
    for (int r = 0; r < rows; r++) {
      float factor = (float) factors[from + r];
      long address = logits + 4L * r * vocabulary;
      memory.read(address, row, 0, vocabulary);
      for (int v = 0; v < vocabulary; v++) {
        row[v] *= factor;
      }
      memory.write(address, row, 0, vocabulary);
    }
  }

  private void enlargeRows() {
    int size = Math.max(channels, vocabulary);
    if (row.length < size) {
      row = new float[size];
      other = new float[size];
    }
  }

  /** How far the target's logit is below the likeliest one's, less the latter's logarithm. */
  private double unlikelyLoss(long probabilities, int index, int target) {
    enlargeRows();
    memory.read(probabilities, row, 0, vocabulary);
    int likeliest = 0;
    for (int v = 1; v < vocabulary; v++) {
      if (row[v] > row[likeliest]) {
        likeliest = v;
      }
    }
    double probability = row[likeliest];
    return logit(index, likeliest) - logit(index, target) - Math.log(probability);
  }

  private double logit(int index, int id) {
    read(x, index, row);
    read(weight, id, other);
    double sum = 0;
    for (int c = 0; c < channels; c++) {
      sum += (double) row[c] * other[c];
    }
    return sum;
  }

  private void read(long matrix, int index, float[] into) {
    long source = matrix + (long) OneDnn.width(type) * index * channels;
    long floats = scratch.floats(ROW, channels);
    elementwise.convert(type, dnnl_f32, channels, source, floats);
    memory.read(floats, into, 0, channels);
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
