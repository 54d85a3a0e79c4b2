package dev.spatz.bench;

import dev.spatz.kernel.Tensors;
import dev.spatz.optimizer.AdamWConfig;
import dev.spatz.training.ScheduleKind;
import dev.spatz.training.TrainingConfig;
import dev.spatz.transformer.Parameter;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.TransformerConfig;
import java.util.Locale;
import java.util.function.UnaryOperator;

/** The default recipe, and what it is with one choice made otherwise. */
public enum RecipeVariant {
  /** As {@link TrainingConfig#defaults} says. */
  DEFAULTS(config -> config),
  /** AdamW for all weights instead of Muon for the linear maps. */
  ADAMW(config -> config.withOptimizer(AdamWConfig.defaults())),
  /** A cosine to a tenth instead of warm-up, stable phase and decay. */
  COSINE(config -> config.withSchedule(ScheduleKind.COSINE)),
  /** The linear maps that end a residual branch zero at first. */
  ZERO_ENDS(config -> config),
  /** Queries and keys as they are: {@code llama} instead of {@code qwen3}. */
  LLAMA(config -> config.withModel(llama(config.model()))),
  /** The last weights, not the mean of the last ones. */
  UNAVERAGED(config -> config.withAveragedSteps(0)),
  /** Half as many sequences a step. */
  HALF_BATCH(config -> config.withBatchSize(config.batchSize() / 2)),
  /** Twice as many sequences a step. */
  DOUBLE_BATCH(config -> config.withBatchSize(config.batchSize() * 2));

  private final UnaryOperator<TrainingConfig> change;

  RecipeVariant(UnaryOperator<TrainingConfig> change) {
    this.change = change;
  }

  /** A default configuration whose model and batch are decided, changed. */
  TrainingConfig applyTo(TrainingConfig config) {
    return change.apply(config);
  }

  private static TransformerConfig llama(TransformerConfig shape) {
    return TransformerConfig.llama(
            shape.vocabularySize(),
            shape.contextLength(),
            shape.layers(),
            shape.heads(),
            shape.channels())
        .withFeedForward(shape.feedForward())
        .withTiedEmbeddings(shape.tiedEmbeddings())
        .withDropout(shape.dropout());
  }

  /** The variant whose steps take as long: those that do the same work are not timed apart. */
  RecipeVariant timedAs() {
    return switch (this) {
      case COSINE, ZERO_ENDS, UNAVERAGED -> DEFAULTS;
      default -> this;
    };
  }

  /** Changes new weights. */
  void initialize(Transformer model) {
    if (this != ZERO_ENDS) {
      return;
    }
    for (Parameter parameter : model.parameters().layout().parameters()) {
      String name = parameter.name();
      if (name.endsWith("attention.projection.weight")
          || name.endsWith("feedforward.down.weight")) {
        Tensors.fill(model.parameters().get(name), 0);
      }
    }
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
