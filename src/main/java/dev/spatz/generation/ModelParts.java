package dev.spatz.generation;

import dev.spatz.kernel.KernelBackend;
import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.transformer.Transformer;
import java.util.stream.IntStream;

/**
 * What generating and scoring need of a model; its owner closes the transformer.
 *
 * @param lifetime guards the transformer's memory
 * @param options how the weights are read
 */
public record ModelParts(
    ModelLifetime lifetime,
    KernelBackend kernels,
    Transformer transformer,
    Tokenizer tokenizer,
    LoadOptions options) {

  /** Parts whose weights are read as they are by default. */
  public ModelParts(
      ModelLifetime lifetime, KernelBackend kernels, Transformer transformer, Tokenizer tokenizer) {
    this(lifetime, kernels, transformer, tokenizer, LoadOptions.defaults());
  }

  /** The ids of a prompt, after what begins a text; an empty one follows the end of another. */
  int[] promptIds(String prompt) {
    int[] ids = tokenizer.encode(prompt);
    if (ids.length > 0 && tokenizer.beginOfText().isEmpty()) {
      return ids;
    }
    int begin = tokenizer.beginOfText().orElse(tokenizer.endOfText());
    return IntStream.concat(IntStream.of(begin), IntStream.of(ids)).toArray();
  }
}
