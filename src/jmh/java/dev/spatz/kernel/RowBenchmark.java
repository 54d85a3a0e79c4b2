package dev.spatz.kernel;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.openjdk.jmh.annotations.Benchmark;

/** What works on rows and elements: layer normalization of 384 columns, exact GELU of 1,536. */
public class RowBenchmark extends KernelBenchmark {
  private static final double EPSILON = 1e-5;

  private INDArray x;
  private INDArray gain;
  private INDArray y;
  private INDArray mean;
  private INDArray inverseDeviation;
  private INDArray dX;
  private INDArray dGain;
  private INDArray hidden;
  private INDArray activated;
  private INDArray dHidden;

  @Override
  void prepare() {
    x = random(ROWS, CHANNELS);
    gain = random(CHANNELS);
    y = random(ROWS, CHANNELS);
    mean = zeros(ROWS);
    inverseDeviation = zeros(ROWS);
    dX = zeros(ROWS, CHANNELS);
    dGain = zeros(CHANNELS);
    hidden = random(ROWS, HIDDEN);
    activated = random(ROWS, HIDDEN);
    dHidden = zeros(ROWS, HIDDEN);
    kernels.layerNorm(x, gain, null, EPSILON, y, mean, inverseDeviation);
  }

  /** Layer normalization. */
  @Benchmark
  public void layerNorm() {
    kernels.layerNorm(x, gain, null, EPSILON, y, mean, inverseDeviation);
  }

  /** Its gradients. */
  @Benchmark
  public void layerNormBackward() {
    kernels.layerNormBackward(y, x, gain, mean, inverseDeviation, dX, dGain, null);
  }

  /** Exact GELU. */
  @Benchmark
  public void gelu() {
    kernels.gelu(Gelu.EXACT, hidden, activated);
  }

  /** Its gradient. */
  @Benchmark
  public void geluBackward() {
    kernels.geluBackward(Gelu.EXACT, activated, hidden, dHidden);
  }
}
