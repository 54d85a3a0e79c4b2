package dev.spatz.optimizer;

import dev.spatz.kernel.AdamWStep;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.TensorArena;
import dev.spatz.kernel.Tensors;
import dev.spatz.transformer.ParameterLayout;
import dev.spatz.transformer.ParameterSet;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * AdamW (Loshchilov and Hutter 2019) with decay on matrices only. It owns two moments of every
 * parameter that it updates. Its tasks are ranges of the flat buffers.
 */
public final class AdamW implements Optimizer {
  /** Elements of a task. */
  private static final long RANGE = 1 << 17;

  private final AdamWConfig config;
  private final TensorArena moments = new TensorArena();
  private final List<Part> parts = new ArrayList<>();
  private final List<Range> ranges = new ArrayList<>();
  private @Nullable AdamWStep step;

  /** Elements with one decay: views of the weights and gradients, and their moments. */
  private record Part(
      INDArray weights,
      INDArray gradients,
      INDArray firstMoment,
      INDArray secondMoment,
      double decay) {}

  private record Range(Part part, long from, long to) {}

  AdamW(AdamWConfig config, ParameterSet weights, ParameterSet gradients) {
    this(config, weights, gradients, 0, 0);
  }

  /** Without elements {@code from}…{@code to − 1}, which are of matrices. */
  AdamW(AdamWConfig config, ParameterSet weights, ParameterSet gradients, long from, long to) {
    this.config = config;
    ParameterLayout layout = weights.layout();
    add(weights, gradients, 0, from, config.weightDecay());
    add(weights, gradients, to, layout.matrixElements(), config.weightDecay());
    add(weights, gradients, layout.matrixElements(), layout.elements(), 0);
  }

  private void add(ParameterSet weights, ParameterSet gradients, long from, long to, double decay) {
    long length = to - from;
    if (length == 0) {
      return;
    }
    INDArray part = Tensors.view(weights.flat(), from, length);
    parts.add(
        new Part(
            part,
            Tensors.view(gradients.flat(), from, length),
            moments.zeros(part.dataType(), length),
            moments.zeros(part.dataType(), length),
            decay));
    for (long at = 0; at < length; at += RANGE) {
      ranges.add(new Range(parts.get(parts.size() - 1), at, Math.min(at + RANGE, length)));
    }
  }

  @Override
  public int tasks() {
    return ranges.size();
  }

  @Override
  public void begin(Step numbers) {
    step =
        new AdamWStep(
            numbers.learningRate(),
            config.beta1(),
            config.beta2(),
            config.epsilon(),
            numbers.number(),
            numbers.gradientScale());
  }

  @Override
  public void update(Kernels kernels, int task) {
    Range range = ranges.get(task);
    Part part = range.part;
    kernels.adamW(
        part.weights,
        part.gradients,
        part.firstMoment,
        part.secondMoment,
        range.from,
        range.to,
        part.decay,
        step);
  }

  @Override
  public Map<String, INDArray> state() {
    Map<String, INDArray> state = new LinkedHashMap<>();
    for (int i = 0; i < parts.size(); i++) {
      state.put("first_moment." + i, parts.get(i).firstMoment);
      state.put("second_moment." + i, parts.get(i).secondMoment);
    }
    return state;
  }

  @Override
  public long bytes() {
    return parts.stream()
        .mapToLong(part -> 2 * part.firstMoment.length() * part.firstMoment.dataType().width())
        .sum();
  }

  @Override
  public void close() {
    moments.close();
  }
}
