package dev.spatz.training;

import dev.spatz.optimizer.MuonConfig;
import dev.spatz.optimizer.OptimizerConfig;
import dev.spatz.transformer.TransformerConfig;

/** What is chosen where a configuration leaves it open. */
public final class Automatic {
  private static final int TOKENS_PER_BATCH = 4096;
  private static final int TOKENS_PER_SHARD = 512;
  private static final int LEAST_TOKENS_PER_SHARD = 128;
  private static final int MOST_SHARDS = 8;

  private Automatic() {}

  /**
   * The vocabulary size of a byte-pair tokenizer: an id for about every thousand characters of the
   * corpus, a power of two from 512 to 4,096: larger ones cost more time than they save.
   */
  public static int vocabularySize(long characters) {
    long size = Long.highestOneBit(Math.max(1, characters / 1000));
    return (int) Math.max(512, Math.min(4096, size));
  }

  /**
   * A model that learns the most from a corpus in minutes on a few cores: small, since many steps
   * teach more than many parameters then. Normalized queries and keys, and a head of its own, teach
   * more at hardly any cost.
   */
  public static TransformerConfig model(int vocabularySize, double dropout) {
    return TransformerConfig.qwen3(vocabularySize, 64, 3, 4, 128)
        .withTiedEmbeddings(false)
        .withDropout(dropout);
  }

  /**
   * Sequences of a batch: about 4,096 tokens, at least 8 sequences. Half of that teaches no more a
   * token, and Muon's part does not shrink with the batch.
   */
  public static int batchSize(TransformerConfig model) {
    return Math.max(8, TOKENS_PER_BATCH / model.contextLength());
  }

  /**
   * Shards of a micro-batch, a power of two: one for about 512 tokens, at most 8, since products of
   * few rows are slow, and every shard reads all weights and its gradient is added up; but where
   * that is fewer than the machine's processors, one for each of them of at least 128 tokens.
   */
  static int shards(TransformerConfig model, int batchSize, int processors) {
    long tokens = (long) batchSize * model.contextLength();
    long busy = Math.min(processors, tokens / LEAST_TOKENS_PER_SHARD);
    long most = Math.min(MOST_SHARDS, Math.max(busy, tokens / TOKENS_PER_SHARD));
    return (int) Long.highestOneBit(Math.max(1, Math.min(batchSize, most)));
  }

  /**
   * Falls with the root of the width: 3.6·10⁻³ at 128 channels with AdamW, 2·10⁻² for what AdamW
   * updates beside Muon.
   */
  static double learningRate(TransformerConfig model, OptimizerConfig optimizer) {
    double rate = optimizer instanceof MuonConfig ? 2e-2 : 3.6e-3;
    return rate * Math.sqrt(128.0 / model.channels());
  }
}
