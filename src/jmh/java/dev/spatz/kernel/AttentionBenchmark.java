package dev.spatz.kernel;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.openjdk.jmh.annotations.Benchmark;

/** Causal attention of 8 sequences of 256 positions, 6 heads of 64; and of one decoded token. */
public class AttentionBenchmark extends KernelBenchmark {
  private static final AttentionShape SHAPE =
      new AttentionShape(TIME, HEADS, HEADS, CHANNELS / HEADS);

  private INDArray qkv;
  private INDArray out;
  private INDArray dOut;
  private INDArray dQkv;
  private INDArray row;
  private INDArray rowOut;
  private INDArray keys;
  private INDArray values;

  @Override
  void prepare() {
    qkv = random(ROWS, SHAPE.rowWidth());
    out = zeros(ROWS, CHANNELS);
    dOut = random(ROWS, CHANNELS);
    dQkv = zeros(ROWS, SHAPE.rowWidth());
    row = random(1, SHAPE.rowWidth());
    rowOut = zeros(1, CHANNELS);
    keys = random(HEADS, TIME / 64, SHAPE.headSize(), 64);
    values = random(HEADS, TIME, SHAPE.headSize());
    kernels.attention(qkv, SHAPE, Dropout.NONE, out);
  }

  /** Forward. */
  @Benchmark
  public void forward() {
    kernels.attention(qkv, SHAPE, Dropout.NONE, out);
  }

  /** Backward. */
  @Benchmark
  public void backward() {
    kernels.attentionBackward(dOut, qkv, out, SHAPE, Dropout.NONE, dQkv);
  }

  /** The last token of a full context. */
  @Benchmark
  public void oneRow() {
    kernels.attentionCached(row, SHAPE, TIME - 1, 0, HEADS, keys, values, rowOut);
  }
}
