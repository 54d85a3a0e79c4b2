package dev.spatz.generation;

import dev.spatz.transformer.Decoder;
import dev.spatz.transformer.InferenceWeights;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Decoders of a model whose weights are packed when the first text needs them: more memory, read
 * faster, by several threads together. Safe for use by many threads.
 */
final class PackedDecoders implements Supplier<Decoder>, AutoCloseable {
  private final ModelParts model;
  private @Nullable InferenceWeights weights;

  PackedDecoders(ModelParts model) {
    this.model = model;
  }

  /** A decoder that the caller closes; called while the model is open. */
  @Override
  public synchronized Decoder get() {
    if (weights == null) {
      LoadOptions options = model.options();
      weights =
          model
              .transformer()
              .inferenceWeights(model.kernels(), options.threads(), options.precision());
    }
    return model.transformer().decoder(weights);
  }

  /** Bytes of the packed weights, 0 before the first text. */
  synchronized long bytes() {
    return weights == null ? 0 : weights.bytes();
  }

  /** Bytes off the heap that the threads work in which read them. */
  synchronized long workspaceBytes() {
    return weights == null ? 0 : weights.workspaceBytes();
  }

  /** Frees the packed weights; called when no text is being written any more. */
  @Override
  public synchronized void close() {
    if (weights != null) {
      weights.close();
      weights = null;
    }
  }
}
