package dev.spatz.generation;

import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.Tensors;
import dev.spatz.tokenizer.StreamingDecoder;
import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.transformer.Decoder;
import dev.spatz.transformer.KeyValueCache;
import dev.spatz.transformer.Transformer;
import java.security.SecureRandom;
import java.util.Locale;

/** Continues a prompt, token by token. It has no state; many threads may call it at once. */
public final class Generator {
  private static final SecureRandom SEEDS = new SecureRandom();

  private Generator() {}

  /**
   * Generates text that follows a prompt.
   *
   * @param prompt token ids, at least one
   * @throws IllegalArgumentException if the prompt is empty or leaves no room in the context
   */
  public static Generation generate(
      Kernels kernels,
      Transformer transformer,
      Tokenizer tokenizer,
      int[] prompt,
      GenerationConfig config) {
    requireRoom(prompt.length, transformer.config().contextLength());
    long seed = config.seed() != null ? config.seed() : SEEDS.nextLong();
    // The model's vocabulary may be padded with ids that mean nothing; they are never drawn.
    float[] logits = new float[tokenizer.vocabularySize()];
    Sampler sampler = new Sampler(config, logits.length, seed);
    StreamingDecoder text = tokenizer.streamingDecoder();
    StringBuilder result = new StringBuilder();
    FinishReason reason = FinishReason.MAX_NEW_TOKENS;
    int newTokens = 0;
    try (Decoder decoder = transformer.decoder();
        KeyValueCache cache = transformer.cache()) {
      Tensors.read(decoder.accept(kernels, cache, prompt), 0, logits, 0, logits.length);
      while (newTokens < config.maxNewTokens()) {
        int token = sampler.sample(logits, newTokens);
        newTokens++;
        if (token == tokenizer.endOfText() && config.stopAtEndOfText()) {
          reason = FinishReason.END_OF_TEXT;
          break;
        }
        result.append(text.accept(token));
        if (newTokens == config.maxNewTokens()) {
          break;
        }
        if (cache.room() == 0) {
          reason = FinishReason.CONTEXT_FULL;
          break;
        }
        Tensors.read(decoder.accept(kernels, cache, token), 0, logits, 0, logits.length);
      }
    }
    result.append(text.flush());
    return new Generation(result.toString(), prompt.length, newTokens, seed, reason);
  }

  private static void requireRoom(int tokens, int contextLength) {
    if (tokens == 0) {
      throw new IllegalArgumentException("the prompt has no token");
    }
    if (tokens >= contextLength) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "the prompt of %,d tokens leaves no room in the context of %,d; shorten it",
              tokens,
              contextLength));
    }
  }
}
