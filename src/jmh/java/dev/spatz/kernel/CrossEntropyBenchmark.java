package dev.spatz.kernel;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** The head's cross-entropy with its gradients, of 256 rows; and without, as in evaluation. */
public class CrossEntropyBenchmark extends KernelBenchmark {
  private static final int LOGITS = 1 << 20;

  /** A small vocabulary, and GPT-2's. */
  @Param({"65", "50257"})
  public int vocabularySize;

  private INDArray x;
  private INDArray weight;
  private INDArray logits;
  private INDArray dX;
  private INDArray dWeight;
  private final int[] targets = new int[TIME];
  private final double[] losses = new double[TIME];

  @Override
  void prepare() {
    x = random(TIME, CHANNELS);
    weight = random(vocabularySize, CHANNELS);
    logits = zeros(Math.min(TIME, Math.max(64, LOGITS / vocabularySize)), vocabularySize);
    dX = zeros(TIME, CHANNELS);
    dWeight = zeros(vocabularySize, CHANNELS);
    for (int i = 0; i < targets.length; i++) {
      targets[i] = (int) CounterRandom.of(0).below(i, vocabularySize);
    }
  }

  /** Loss and gradients. */
  @Benchmark
  public double lossAndGradients() {
    return kernels.crossEntropy(
        x, weight, targets, 1.0 / TIME, null, logits, null, dX, WriteMode.OVERWRITE, dWeight);
  }

  /** Loss alone. */
  @Benchmark
  public double loss() {
    return kernels.crossEntropy(
        x, weight, targets, 1.0 / TIME, null, logits, losses, null, WriteMode.OVERWRITE, null);
  }
}
