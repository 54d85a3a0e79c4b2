package dev.spatz;

import dev.spatz.generation.GenerationConfig;
import dev.spatz.generation.Generator;
import dev.spatz.generation.ModelLifetime;
import dev.spatz.generation.ModelParts;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.training.Evaluation;
import dev.spatz.training.TrainingListener;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.WeightedAdapter;
import java.util.List;
import java.util.function.Supplier;

/** Lets a model in training write a little after each evaluation, for a listener that wants it. */
final class TrainingSamples implements TrainingListener {
  private static final GenerationConfig SHORT =
      GenerationConfig.defaults().withMaxNewTokens(60).withSeed(1);

  private final TrainingListener reader;
  private final Transformer transformer;
  private final Tokenizer tokenizer;
  private final KernelBackend kernels;
  private final Supplier<List<WeightedAdapter>> adapters;

  /** {@code adapters} are those in training beside the model, as they are at the time. */
  TrainingSamples(
      TrainingListener reader,
      Transformer transformer,
      Tokenizer tokenizer,
      KernelBackend kernels,
      Supplier<List<WeightedAdapter>> adapters) {
    this.reader = reader;
    this.transformer = transformer;
    this.tokenizer = tokenizer;
    this.kernels = kernels;
    this.adapters = adapters;
  }

  @Override
  public void evaluated(long step, Evaluation evaluation, boolean best) {
    if (reader.wantsSamples()) {
      // A new one each time: it packs the weights, which have changed.
      ModelParts now = new ModelParts(new ModelLifetime(), kernels, transformer, tokenizer);
      try (Generator generator = new Generator(now)) {
        GenerationConfig config =
            SHORT.withAdapters(adapters.get().toArray(WeightedAdapter[]::new));
        reader.sampled(step, generator.generate("", config, piece -> {}).text());
      }
    }
  }
}
