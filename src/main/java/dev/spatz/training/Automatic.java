package dev.spatz.training;

import dev.spatz.transformer.TransformerConfig;

/** What is chosen where a configuration leaves it open. */
public final class Automatic {
  private static final int TOKENS_PER_BATCH = 4096;
  private static final int TOKENS_PER_SHARD = 256;
  private static final int MOST_SHARDS = 8;

  private Automatic() {}

  /**
   * The vocabulary size of a byte-pair tokenizer: an id for about every thousand characters of the
   * corpus, a power of two from 512 to 8,192.
   */
  public static int vocabularySize(long characters) {
    long size = Long.highestOneBit(Math.max(1, characters / 1000));
    return (int) Math.max(512, Math.min(8192, size));
  }

  /** A model for a corpus: the more text, the larger. */
  public static TransformerConfig model(long trainingTokens, int vocabularySize, double dropout) {
    TransformerConfig model;
    if (trainingTokens < 100_000) {
      model = TransformerConfig.llama(vocabularySize, 128, 4, 4, 128);
    } else if (trainingTokens < 1_000_000) {
      model = TransformerConfig.llama(vocabularySize, 128, 4, 4, 192);
    } else {
      model = TransformerConfig.llama(vocabularySize, 128, 4, 4, 256);
    }
    return model.withDropout(dropout);
  }

  /** Sequences of a batch: about 4,096 tokens, at least 8 sequences. */
  static int batchSize(TransformerConfig model) {
    return Math.max(8, TOKENS_PER_BATCH / model.contextLength());
  }

  /**
   * Shards of a micro-batch: as many as there are sequences, at most 8, a power of two; but few
   * enough that each has about 256 tokens, since products of few rows are slow and every shard's
   * gradient is added up.
   */
  static int shards(TransformerConfig model, int batchSize) {
    long tokens = (long) batchSize * model.contextLength();
    long most = Math.min(MOST_SHARDS, Math.max(2, tokens / TOKENS_PER_SHARD));
    return Math.min(batchSize, (int) Long.highestOneBit(most));
  }

  /** Falls with the root of the width: 2·10⁻³ at 128 channels, 10⁻³ at 512. */
  static double learningRate(TransformerConfig model) {
    return 2e-3 * Math.sqrt(128.0 / model.channels());
  }
}
