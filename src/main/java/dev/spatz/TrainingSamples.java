package dev.spatz;

import dev.spatz.generation.GenerationConfig;
import dev.spatz.generation.Generator;
import dev.spatz.generation.ModelParts;
import dev.spatz.training.Evaluation;
import dev.spatz.training.TrainingListener;
import dev.spatz.transformer.WeightedAdapter;
import java.util.List;
import java.util.function.Supplier;

/** Lets a model in training write a little after each evaluation, for a listener that wants it. */
final class TrainingSamples implements TrainingListener {
  private static final GenerationConfig SHORT =
      GenerationConfig.defaults().withMaxNewTokens(60).withSeed(1);

  private final TrainingListener reader;
  private final Supplier<ModelParts> model;
  private final Supplier<List<WeightedAdapter>> adapters;

  /**
   * For a listener.
   *
   * @param model of a life of its own
   * @param adapters those in training beside the model, as they are at the time
   */
  TrainingSamples(
      TrainingListener reader,
      Supplier<ModelParts> model,
      Supplier<List<WeightedAdapter>> adapters) {
    this.reader = reader;
    this.model = model;
    this.adapters = adapters;
  }

  @Override
  public void evaluated(long step, Evaluation evaluation, boolean best) {
    if (reader.wantsSamples()) {
      // A new one each time: it packs the weights, which have changed.
      try (Generator generator = new Generator(model.get())) {
        GenerationConfig config =
            SHORT.withAdapters(adapters.get().toArray(WeightedAdapter[]::new));
        reader.sampled(step, generator.generate("", config, piece -> {}).text());
      }
    }
  }
}
