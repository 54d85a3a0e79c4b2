package dev.spatz.checkpoint;

import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.transformer.Transformer;
import org.jspecify.annotations.Nullable;

/**
 * A model as it was read from its directory. Whoever loaded it closes it.
 *
 * @param transformer the weights
 * @param tokenizer of the texts that the weights were trained on; its ids are within the
 *     transformer's vocabulary, which may be larger
 * @param provenance where the model comes from, null if its files do not say
 * @param conventions how its texts are spelled and end
 */
public record LoadedModel(
    Transformer transformer,
    Tokenizer tokenizer,
    @Nullable Provenance provenance,
    TextConventions conventions)
    implements AutoCloseable {

  /** Frees the weights; closing twice is fine. */
  @Override
  public void close() {
    transformer.close();
  }
}
