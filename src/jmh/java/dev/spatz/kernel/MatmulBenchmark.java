package dev.spatz.kernel;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.openjdk.jmh.annotations.Benchmark;

/** The forms of a linear map, at the first map of the feed-forward part: 384 → 1,536. */
public class MatmulBenchmark extends KernelBenchmark {
  private INDArray x;
  private INDArray y;
  private INDArray dX;
  private INDArray weight;
  private INDArray dWeight;
  private INDArray row;
  private INDArray rowOut;

  @Override
  void prepare() {
    x = random(ROWS, CHANNELS);
    y = random(ROWS, HIDDEN);
    dX = zeros(ROWS, CHANNELS);
    weight = random(HIDDEN, CHANNELS);
    dWeight = zeros(HIDDEN, CHANNELS);
    row = random(1, CHANNELS);
    rowOut = zeros(1, HIDDEN);
  }

  /** x·weightᵀ. */
  @Benchmark
  public void forward() {
    kernels.linear(x, weight, null, null, y);
  }

  /** x·weightᵀ added to a residual: the second map's form. */
  @Benchmark
  public void forwardWithResidual() {
    kernels.linear(x, weight, null, y, y);
  }

  /** dY·weight. */
  @Benchmark
  public void inputGradient() {
    kernels.linearBackward(y, x, weight, dX, WriteMode.OVERWRITE, null, null);
  }

  /** dYᵀ·x, accumulated. */
  @Benchmark
  public void weightGradient() {
    kernels.linearBackward(y, x, weight, null, WriteMode.OVERWRITE, dWeight, null);
  }

  /** One row: decoding. */
  @Benchmark
  public void oneRow() {
    kernels.linear(row, weight, null, null, rowOut);
  }
}
