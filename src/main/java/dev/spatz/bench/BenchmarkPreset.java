package dev.spatz.bench;

import dev.spatz.kernel.Gelu;
import dev.spatz.transformer.TransformerConfig;
import java.util.Locale;

/**
 * Models that are measured: GPT-2 without biases, with exact GELU, tied embeddings and no dropout.
 * These are nanoGPT's configurations, and its architecture.
 */
public enum BenchmarkPreset {
  /** 0.8 M parameters, 12 sequences of 64: nanoGPT's model for a laptop. */
  CPU(shape(65, 64, 4, 4, 128), 12, new Repetitions(100, 500), new Repetitions(100, 200)),
  /** 10.7 M parameters, 64 sequences of 256: nanoGPT's character model. */
  BABY(shape(65, 256, 6, 6, 384), 64, new Repetitions(2, 9), new Repetitions(10, 25)),
  /** 124 M parameters, 4 sequences of 256: the smallest GPT-2. */
  GPT2(shape(50_257, 256, 12, 12, 768), 4, new Repetitions(2, 7), new Repetitions(3, 7));

  private final Workload workload;

  BenchmarkPreset(
      TransformerConfig model, int batchSize, Repetitions training, Repetitions decoding) {
    this.workload = new Workload(toString(), model, batchSize, training, decoding);
  }

  private static TransformerConfig shape(
      int vocabularySize, int contextLength, int layers, int heads, int channels) {
    return TransformerConfig.gpt2(vocabularySize, contextLength, layers, heads, channels)
        .withBiases(false)
        .withGelu(Gelu.EXACT);
  }

  Workload workload() {
    return workload;
  }

  /** As it is written on the command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
