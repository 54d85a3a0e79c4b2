package dev.spatz.kernel;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.openjdk.jmh.annotations.Benchmark;

/** What happens once a step to all 10.7 M parameters, here on one thread. */
public class OptimizerBenchmark extends KernelBenchmark {
  private static final int PARAMETERS = 10_745_088;
  private static final double DECAY = 0.1;
  private static final AdamWStep STEP = new AdamWStep(1e-3, 0.9, 0.99, 1e-8, 100, 1);

  private INDArray weights;
  private INDArray gradients;
  private INDArray firstMoment;
  private INDArray secondMoment;

  @Override
  void prepare() {
    weights = random(PARAMETERS);
    gradients = random(PARAMETERS);
    firstMoment = zeros(PARAMETERS);
    secondMoment = zeros(PARAMETERS);
  }

  /** The update. */
  @Benchmark
  public void adamW() {
    kernels.adamW(weights, gradients, firstMoment, secondMoment, 0, PARAMETERS, DECAY, STEP);
  }

  /** The gradient's norm, before it. */
  @Benchmark
  public double sumOfSquares() {
    return kernels.sumOfSquares(gradients, 0, PARAMETERS);
  }
}
