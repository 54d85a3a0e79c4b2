package dev.spatz.training;

import static dev.spatz.training.Requirements.require;

import dev.spatz.transformer.LoraConfig;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.TransformerConfig;

/**
 * What is different where training goes on with a model that there is: its shape and its tokenizer
 * are given, and it has learned already.
 */
public final class FineTuning {
  /**
   * Automatic learning rates are those for new models. Measured on a small model of fairy tales and
   * plays, one run each: with a third of it, more fairy tales only made it worse; a tenth improved
   * it. Texts of another kind were learned better with the whole rate.
   */
  private static final double LEARNING_RATE_PART = 0.1;

  /**
   * Of low-rank adapters at 128 channels, falling with the root of the width. Measured on a small
   * model that learned to answer: from 6·10⁻³ to 2·10⁻² made little difference, with Muon or AdamW.
   */
  private static final double ADAPTER_LEARNING_RATE = 1e-2;

  /**
   * For learning from pairs of answers, of the rate for other data: the reference is left slowly.
   */
  private static final double PREFERENCE_RATE_PART = 0.1;

  private FineTuning() {}

  /**
   * The configuration for an adapter of a model, its learning rate decided.
   *
   * @throws IllegalArgumentException as {@link #config}
   */
  public static TrainingConfig adapterConfig(
      TrainingConfig config, TransformerConfig base, TokenizerKind tokenizer, int ids) {
    TrainingConfig decided =
        config.learningRate() != TrainingConfig.AUTO
            ? config
            : config.withLearningRate(
                Math.max(
                    ADAPTER_LEARNING_RATE * Math.sqrt(128.0 / base.channels()),
                    Math.max(0, config.minLearningRate())));
    return config(decided, base, tokenizer, ids);
  }

  /**
   * The configuration for a model, its learning rate decided.
   *
   * @param base shape of the model
   * @param tokenizer kind of its tokenizer
   * @param ids number of its tokenizer's ids
   * @throws IllegalArgumentException if a setting asks for another tokenizer or another shape; the
   *     dropout may be another
   */
  public static TrainingConfig config(
      TrainingConfig config, TransformerConfig base, TokenizerKind tokenizer, int ids) {
    // Byte pairs are also what a configuration has that says nothing.
    require(
        config.tokenizer() == tokenizer || config.tokenizer() == TokenizerKind.BYTE_PAIR,
        "tokenizer",
        config.tokenizer(),
        "must be the model's own (" + tokenizer + "), which fine-tuning keeps");
    require(
        config.vocabularySize() == TrainingConfig.AUTO || config.vocabularySize() == ids,
        "vocabularySize",
        config.vocabularySize(),
        "must be that of the model's tokenizer ("
            + ids
            + "), which fine-tuning keeps; leave it"
            + " automatic");
    TransformerConfig shape = config.model();
    require(
        shape == null || shape.withDropout(0).equals(base.withDropout(0)),
        "model",
        shape,
        "must be the model's own shape (" + base + "), dropout excepted; leave it out");
    return config.learningRate() != TrainingConfig.AUTO
        ? config
        : config.withLearningRate(
            Math.max(
                LEARNING_RATE_PART * Automatic.learningRate(base, config.optimizer()),
                Math.max(0, config.minLearningRate())));
  }

  /**
   * The configuration for learning from pairs of answers: a smaller automatic learning rate, and
   * half as many sequences, since each has both answers.
   *
   * @param decided what {@link #config} or {@link #adapterConfig} made of it
   * @param base shape of the model
   */
  public static TrainingConfig preferenceConfig(
      TrainingConfig config, TrainingConfig decided, TransformerConfig base) {
    TrainingConfig result = decided;
    if (config.preference() == null) {
      result = result.withPreference(PreferenceConfig.defaults());
    }
    if (config.learningRate() == TrainingConfig.AUTO) {
      double least = Math.max(0, config.minLearningRate());
      double rate = PREFERENCE_RATE_PART * decided.learningRate();
      result = result.withLearningRate(Math.max(rate, least));
    }
    if (config.batchSize() == TrainingConfig.AUTO) {
      int half = Math.max(1, Automatic.batchSize(base) / 2);
      result = result.withBatchSize(Math.max(half, config.shards()));
    }
    return result;
  }

  /**
   * A model of the same weights, with the dropout that the configuration asks for: that of its
   * model, or else its own if it is not zero, or else that of the base. The caller closes it.
   *
   * @throws IllegalStateException if the base is frozen
   */
  public static Transformer copy(Transformer base, TrainingConfig config) {
    base.requireWhole();
    TransformerConfig shape = base.config().withDropout(dropout(base, config));
    Transformer copy = Transformer.zeros(shape, base.dataType());
    copy.parameters().copyFrom(base.parameters());
    return copy;
  }

  /**
   * A model with a new adapter to be trained, of the dropout that {@link #copy} says. The caller
   * closes it, before the base.
   *
   * @throws IllegalArgumentException if the model has not all of the adapter's targets
   */
  public static Transformer adapted(Transformer base, TrainingConfig config, LoraConfig lora) {
    return base.adapted(lora, dropout(base, config), config.seed());
  }

  private static double dropout(Transformer base, TrainingConfig config) {
    if (config.model() != null) {
      return config.model().dropout();
    }
    return config.dropout() > 0 ? config.dropout() : base.config().dropout();
  }
}
