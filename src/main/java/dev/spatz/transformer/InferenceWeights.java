package dev.spatz.transformer;

import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.PackedWeights;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A model's weights as decoding reads them: its matrices once more, packed, and the threads that
 * share the reading. Any number of threads may decode with it at once, each with a decoder of its
 * own; results depend neither on the number of threads nor on who else decodes. Later changes of
 * the model's own weights are not seen. The caller closes it, after its decoders and before the
 * model.
 */
public final class InferenceWeights implements AutoCloseable {
  private final List<PackedWeights> packed = new ArrayList<>();
  private final SliceTeam team;
  private final Weights weights;
  private boolean closed;

  InferenceWeights(Weights plain, KernelBackend backend, int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "threads (%d) must be at least 1", threads));
    }
    team = new SliceTeam(threads, backend);
    try (Kernels kernels = backend.create()) {
      weights = plain.withMaps(map -> pack(kernels, map));
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  private LinearMap pack(Kernels kernels, LinearMap map) {
    PackedWeights own = kernels.pack(map.weight());
    packed.add(own);
    return map.with((using, x, residual, y) -> team.linear(using, x, own, map.bias(), residual, y));
  }

  Weights weights() {
    if (closed) {
      throw new IllegalStateException("the inference weights are closed");
    }
    return weights;
  }

  /** Bytes of the packed matrices, off the heap. */
  public long bytes() {
    return packed.stream().mapToLong(PackedWeights::bytes).sum();
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
