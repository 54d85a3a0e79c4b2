package dev.spatz.bench;

import dev.spatz.transformer.Architecture;
import dev.spatz.transformer.TransformerConfig;

/**
 * A model, and how it is measured.
 *
 * @param name for people
 * @param model without dropout
 * @param batchSize sequences of a training step, each as long as the context
 * @param training steps
 * @param decoding runs
 */
record Workload(
    String name,
    TransformerConfig model,
    int batchSize,
    Repetitions training,
    Repetitions decoding) {

  /** Tokens of a training step. */
  long tokensPerStep() {
    return (long) batchSize * model.contextLength();
  }

  /**
   * Floating-point operations of training on one token as nanoGPT counts them (after Chowdhery et
   * al. 2022, PaLM, appendix B): 6N + 12·L·C·T, where N are the parameters without the position
   * embeddings. It counts the whole attention matrix, whatever causality saves.
   */
  long operationsPerToken() {
    return 6 * parametersPerToken()
        + 12L * model.layers() * model.heads() * model.headSize() * model.contextLength();
  }

  /**
   * The parameters that a token is multiplied with: all but the position embeddings. (Of tied token
   * embeddings, because they are the head's weights.)
   */
  long parametersPerToken() {
    long positions =
        model.architecture() == Architecture.GPT2
            ? (long) model.contextLength() * model.channels()
            : 0;
    return model.parameterCount() - positions;
  }

  /** The model in words: millions of parameters, and its shape. */
  String describe() {
    return Measurement.format(
        "%.1f M, %d layers, %d heads, %d channels, context %d",
        model.parameterCount() / 1e6,
        model.layers(),
        model.heads(),
        model.channels(),
        model.contextLength());
  }
}
