package dev.spatz.transformer;

import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.NativeMemory;
import dev.spatz.kernel.PackedWeights;
import dev.spatz.kernel.RoundedMatrix;
import dev.spatz.kernel.Tensors;
import dev.spatz.kernel.WeightPrecision;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A model's weights as decoding reads them: its matrices once more, packed, and the threads that
 * share the reading. Any number of threads may decode with it at once, each with a decoder of its
 * own; results depend neither on the number of threads nor on who else decodes. Later changes of
 * the model's own weights are not seen. The caller closes it, after its decoders and before the
 * model.
 */
public final class InferenceWeights implements AutoCloseable {
  private final Transformer transformer;
  private final List<PackedWeights> packed = new ArrayList<>();
  private final SliceTeam team;
  private final Weights weights;
  private boolean closed;

  InferenceWeights(
      Transformer transformer, KernelBackend backend, int threads, WeightPrecision precision) {
    if (threads < 1) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "threads (%d) must be at least 1", threads));
    }
    precision.require(backend);
    transformer.parameters().requireOpen();
    NativeMemory.require(
        mapElements(transformer.config())
            * (backend == KernelBackend.ONEDNN ? precision.bytes() : Float.BYTES),
        String.format(Locale.ROOT, "the matrices once more, packed (precision %s)", precision),
        "take a precision of fewer bytes (LoadOptions.withPrecision)");
    this.transformer = transformer;
    team = new SliceTeam(threads, backend);
    try (Kernels kernels = backend.create()) {
      List<LinearMap> maps = transformer.weights().maps();
      PackedWeights[] all = new PackedWeights[maps.size()];
      team.run(
          kernels, all.length, (using, i) -> all[i] = keep(packed(using, maps.get(i), precision)));
      Iterator<PackedWeights> each = List.of(all).iterator();
      weights = transformer.weights().withMaps(map -> read(map, each.next()));
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  /** The number of weights of all linear maps. */
  private static long mapElements(TransformerConfig config) {
    long head = (long) config.vocabularySize() * config.channels();
    return head + ParameterLayout.of(config).maps().stream().mapToLong(Parameter::size).sum();
  }

  private synchronized PackedWeights keep(PackedWeights own) {
    packed.add(own);
    return own;
  }

  private LinearMap read(LinearMap map, PackedWeights own) {
    return map.with((using, x, residual, y) -> team.linear(using, x, own, map.bias(), residual, y));
  }

  private PackedWeights packed(Kernels kernels, LinearMap map, WeightPrecision precision) {
    INDArray weight = map.weight();
    if (weight != null) {
      return kernels.pack(weight, precision);
    }
    RoundedMatrix rounded = transformer.rounded(map.name() + ParameterLayout.WEIGHT);
    try (INDArray widened =
        Tensors.zeros(transformer.dataType(), rounded.rows(), rounded.columns())) {
      rounded.copyTo(widened);
      return kernels.pack(widened, precision);
    }
  }

  /** The threads that read the weights together. */
  SliceTeam team() {
    return team;
  }

  Weights weights() {
    requireOpen();
    return weights;
  }

  void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the inference weights are closed");
    }
  }

  /**
   * As {@link Transformer#loss}, with these weights: what the rounding of decoding costs.
   *
   * @param losses result (R): −ln p of each target, 0 where it is not counted
   * @return the sum of the losses in nats
   * @throws IllegalArgumentException as {@link Transformer#loss}
   * @throws IllegalStateException if this, the model or the workspace is closed
   */
  public double loss(
      Kernels kernels, Workspace workspace, int[] inputs, int[] targets, double[] losses) {
    transformer.requireIds("inputs", inputs, 0, workspace);
    transformer.requireIds("targets", targets, Integer.MIN_VALUE, workspace);
    Weights used = weights();
    transformer.passes().forward(kernels, used, workspace, inputs, DropoutSites.NONE);
    INDArray normalized = workspace.activations.norm.values();
    float[] logits = new float[(int) workspace.logits.size(1)];
    int most = (int) workspace.logits.size(0);
    double sum = 0;
    for (int from = 0; from < targets.length; from += most) {
      int count = Math.min(most, targets.length - from);
      INDArray chunk = Tensors.rows(workspace.logits, 0, count);
      used.head().forward(kernels, Tensors.rows(normalized, from, from + count), null, chunk);
      for (int row = 0; row < count; row++) {
        int target = targets[from + row];
        double loss = 0;
        if (target >= 0) {
          Tensors.read(chunk, (long) row * logits.length, logits, 0, logits.length);
          loss = logSumExp(logits) - logits[target];
        }
        losses[from + row] = loss;
        sum += loss;
      }
    }
    return sum;
  }

  private static double logSumExp(float[] logits) {
    float largest = Float.NEGATIVE_INFINITY;
    for (float logit : logits) {
      largest = Math.max(largest, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - largest);
    }
    return largest + Math.log(sum);
  }

  /** Bytes of the packed matrices, off the heap. */
  public long bytes() {
    return packed.stream().mapToLong(PackedWeights::bytes).sum();
  }

  /** Bytes off the heap that the threads work in which read them. */
  public long workspaceBytes() {
    return team.bytes();
  }

  /** Ends the threads and frees the memory; closing twice is fine. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      team.close();
      packed.forEach(PackedWeights::close);
    }
  }
}
