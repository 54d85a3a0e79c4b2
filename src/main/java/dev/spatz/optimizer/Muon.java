package dev.spatz.optimizer;

import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.MuonStep;
import dev.spatz.kernel.TensorArena;
import dev.spatz.kernel.Tensors;
import dev.spatz.transformer.Parameter;
import dev.spatz.transformer.ParameterLayout;
import dev.spatz.transformer.ParameterSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Muon (Jordan et al. 2024): the linear maps of the layers move along their orthogonalized
 * momentum, each matrix a task, fused ones (queries, keys and values; gate and up) one by one; all
 * other parameters by {@link AdamW}. It owns one moment of the linear maps and two of the others.
 */
public final class Muon implements Optimizer {
  private final MuonConfig config;
  private final TensorArena memory = new TensorArena();
  private final INDArray moments;
  private final List<Matrix> matrices;
  private final AdamW rest;
  private @Nullable MuonStep step;

  /** Views of a matrix. */
  private record Matrix(INDArray weights, INDArray gradients, INDArray moment) {}

  Muon(MuonConfig config, ParameterSet weights, ParameterSet gradients) {
    this.config = config;
    List<Parameter> hidden = weights.layout().hidden();
    Parameter last = hidden.get(hidden.size() - 1);
    long from = hidden.get(0).offset();
    long to = last.offset() + last.size();
    this.moments = memory.zeros(weights.flat().dataType(), to - from);
    this.matrices =
        hidden.stream()
            .map(
                matrix ->
                    new Matrix(
                        Tensors.view(weights.flat(), matrix.offset(), matrix.shape()),
                        Tensors.view(gradients.flat(), matrix.offset(), matrix.shape()),
                        Tensors.view(moments, matrix.offset() - from, matrix.shape())))
            .toList();
    this.rest = new AdamW(config.rest(), weights, gradients, from, to);
  }

  /** The number of weights of a layout that have one moment, not two. */
  static long elements(ParameterLayout layout) {
    return layout.hidden().stream().mapToLong(Parameter::size).sum();
  }

  @Override
  public int tasks() {
    return matrices.size() + rest.tasks();
  }

  @Override
  public void begin(Step numbers) {
    rest.begin(numbers);
    step =
        new MuonStep(
            numbers.learningRate() * config.rateFactor(),
            config.momentum(),
            config.weightDecay(),
            numbers.gradientScale());
  }

  @Override
  public void update(Kernels kernels, int task) {
    if (task >= matrices.size()) {
      rest.update(kernels, task - matrices.size());
      return;
    }
    Matrix matrix = matrices.get(task);
    kernels.muon(matrix.weights, matrix.gradients, matrix.moment, step);
  }

  @Override
  public Map<String, INDArray> state() {
    Map<String, INDArray> state = rest.state();
    state.put("momentum", moments);
    return state;
  }

  @Override
  public long bytes() {
    return moments.length() * moments.dataType().width() + rest.bytes();
  }

  @Override
  public void close() {
    memory.close();
    rest.close();
  }
}
