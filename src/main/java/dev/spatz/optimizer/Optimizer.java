package dev.spatz.optimizer;

import dev.spatz.kernel.Kernels;
import dev.spatz.transformer.ParameterLayout;
import dev.spatz.transformer.ParameterSet;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Makes weights better by their gradients, and owns what it remembers of them.
 *
 * <p>A step is a number of tasks, which may be run in any order by several threads, each with its
 * own kernels; the result does not depend on them.
 */
public sealed interface Optimizer extends AutoCloseable permits AdamW, Muon {
  /**
   * The numbers of a step.
   *
   * @param number from 1
   * @param learningRate of this step
   * @param gradientScale factor of the gradients; 1 for none
   */
  record Step(long number, double learningRate, double gradientScale) {}

  /**
   * The optimizer of a configuration; the caller closes it.
   *
   * @param weights which it changes, but does not own
   * @param gradients of the same layout, which it reads at each step
   */
  static Optimizer of(OptimizerConfig config, ParameterSet weights, ParameterSet gradients) {
    if (config instanceof MuonConfig muon) {
      return new Muon(muon, weights, gradients);
    }
    return new AdamW((AdamWConfig) config, weights, gradients);
  }

  /** Bytes off the heap that the optimizer of a configuration remembers. */
  static long bytes(OptimizerConfig config, ParameterLayout layout, DataType type) {
    long once = config instanceof MuonConfig ? Muon.elements(layout) : 0;
    return type.width() * (2 * layout.elements() - once);
  }

  /** The number of tasks of a step. */
  int tasks();

  /** Begins a step, before its tasks. */
  void begin(Step step);

  /** Does one of the tasks, 0…{@code tasks() − 1}, of the step that was begun last. */
  void update(Kernels kernels, int task);

  /**
   * What it remembers, by name: its own arrays, all that it needs to go on after another one of the
   * same configuration and parameters.
   */
  Map<String, INDArray> state();

  /** Bytes off the heap. */
  long bytes();

  /** Frees what it remembers; closing twice is fine. */
  @Override
  void close();
}
