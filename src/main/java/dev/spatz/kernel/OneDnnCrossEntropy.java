package dev.spatz.kernel;

import static org.bytedeco.dnnl.global.dnnl.dnnl_f32;

import org.jspecify.annotations.Nullable;

/** The model's head with softmax cross-entropy and its gradients, a chunk of rows at a time. */
final class OneDnnCrossEntropy implements AutoCloseable {
  /** Below this a probability is too small for its logarithm. */
  private static final float SMALLEST = 1e-30f;

  private static final int FACTOR = 0;
  private static final int D_LOGITS = 1;
  private static final int ROW = 2;

  private final OneDnnMatmul matmul;
  private final OneDnnSoftmax softmax;
  private final NativeFloats memory;
  private final OneDnnElementwise elementwise;
  private final NativeScratch scratch = new NativeScratch(3);
  private float[] row = new float[0];
  private float[] other = new float[0];

  /**
   * Where the arrays of a call are; an address of 0 is no array.
   *
   * @param type of {@code x}, {@code weight} and the gradient of {@code x}, oneDNN's number
   * @param x (R,channels)
   * @param weight (vocabulary,channels)
   * @param logits (chunk,vocabulary)
   */
  record Head(
      int type, long x, long weight, int channels, int vocabulary, long logits, int chunk) {}

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

  double apply(
      Head head,
      int[] targets,
      double scale,
      double @Nullable [] factors,
      double @Nullable [] losses,
      long dX,
      WriteMode mode,
      long dWeight) {
    long channels = head.channels;
    long vocabulary = head.vocabulary;
    long scaleAt = scratch.floats(FACTOR, 1);
    memory.put(scaleAt, (float) scale);
    int bytes = OneDnn.width(head.type);
    double sum = 0;
    for (int from = 0; from < targets.length; from += head.chunk) {
      int rows = Math.min(head.chunk, targets.length - from);
      long x = head.x + bytes * from * channels;
      matmul
          .size(1, rows, vocabulary, channels)
          .types(head.type, dnnl_f32)
          .a(x, 0, channels, 1)
          .b(head.weight, 0, 1, channels)
          .into(head.logits, 0, vocabulary);
      softmax.forward(rows, vocabulary, head.logits, head.logits);
      sum += losses(head, rows, targets, from, losses);
      if (factors != null && (dX != 0 || dWeight != 0)) {
        multiplyRows(head, rows, factors, from);
      }
      long dLogits = head.logits;
      if (head.type != dnnl_f32 && (dX != 0 || dWeight != 0)) {
        dLogits = scratch.bytes(D_LOGITS, bytes * rows * vocabulary);
        elementwise.convert(dnnl_f32, head.type, rows * vocabulary, head.logits, dLogits);
      }
      if (dX != 0) {
        matmul
            .size(1, rows, channels, vocabulary)
            .types(head.type, head.type)
            .a(dLogits, 0, vocabulary, 1)
            .b(head.weight, 0, channels, 1)
            .pack()
            .times(scaleAt)
            .into(dX + bytes * from * channels, 0, channels);
      }
      if (dWeight != 0) {
        matmul
            .size(1, vocabulary, channels, rows)
            .types(head.type, dnnl_f32)
            .a(dLogits, 0, 1, vocabulary)
            .b(x, 0, channels, 1)
            .times(scaleAt)
            .write(from == 0 ? mode : WriteMode.ADD)
            .into(dWeight, 0, channels);
      }
    }
    return sum;
  }

  /** Replaces probabilities by {@code softmax − one-hot}, and rows that do not count by zeros. */
  private double losses(Head head, int rows, int[] targets, int from, double @Nullable [] losses) {
    double sum = 0;
    for (int r = 0; r < rows; r++) {
      long probabilities = head.logits + 4L * r * head.vocabulary;
      int target = targets[from + r];
      double loss = 0;
      if (target < 0) {
        memory.zero(probabilities, head.vocabulary);
      } else {
        long address = probabilities + 4L * target;
        float probability = memory.get(address);
        loss =
            probability >= SMALLEST
                ? -Math.log(probability)
                : unlikelyLoss(head, probabilities, from + r, target);
        memory.put(address, probability - 1);
      }
      sum += loss;
      if (losses != null) {
        losses[from + r] = loss;
      }
    }
    return sum;
  }

  private void multiplyRows(Head head, int rows, double[] factors, int from) {
    enlargeRows(head);
    for (int r = 0; r < rows; r++) {
      float factor = (float) factors[from + r];
      long address = head.logits + 4L * r * head.vocabulary;
      memory.read(address, row, 0, head.vocabulary);
      for (int v = 0; v < head.vocabulary; v++) {
        row[v] *= factor;
      }
      memory.write(address, row, 0, head.vocabulary);
    }
  }

  private void enlargeRows(Head head) {
    int size = Math.max(head.channels, head.vocabulary);
    if (row.length < size) {
      row = new float[size];
      other = new float[size];
    }
  }

  /** How far the target's logit is below the likeliest one's, less the latter's logarithm. */
  private double unlikelyLoss(Head head, long probabilities, int index, int target) {
    enlargeRows(head);
    memory.read(probabilities, row, 0, head.vocabulary);
    int likeliest = 0;
    for (int v = 1; v < head.vocabulary; v++) {
      if (row[v] > row[likeliest]) {
        likeliest = v;
      }
    }
    double probability = row[likeliest];
    return logit(head, index, likeliest) - logit(head, index, target) - Math.log(probability);
  }

  private double logit(Head head, int index, int id) {
    read(head, head.x, index, row);
    read(head, head.weight, id, other);
    double sum = 0;
    for (int c = 0; c < head.channels; c++) {
      sum += (double) row[c] * other[c];
    }
    return sum;
  }

  private void read(Head head, long matrix, int index, float[] into) {
    long source = matrix + (long) OneDnn.width(head.type) * index * head.channels;
    long floats = scratch.floats(ROW, head.channels);
    elementwise.convert(head.type, dnnl_f32, head.channels, source, floats);
    memory.read(floats, into, 0, head.channels);
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
