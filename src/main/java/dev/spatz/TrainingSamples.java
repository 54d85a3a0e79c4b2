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

/** Lets a model in training write a little after each evaluation, for a listener that wants it. */
final class TrainingSamples implements TrainingListener {
  private static final GenerationConfig SHORT =
      GenerationConfig.defaults().withMaxNewTokens(60).withSeed(1);

  private final TrainingListener reader;
  private final Transformer transformer;
  private final Tokenizer tokenizer;
  private final KernelBackend kernels;

  TrainingSamples(
      TrainingListener reader,
      Transformer transformer,
      Tokenizer tokenizer,
      KernelBackend kernels) {
    this.reader = reader;
    this.transformer = transformer;
    this.tokenizer = tokenizer;
    this.kernels = kernels;
  }

  @Override
  public void evaluated(long step, Evaluation evaluation, boolean best) {
    if (reader.wantsSamples()) {
      // A new one each time: it packs the weights, which have changed.
      ModelParts now = new ModelParts(new ModelLifetime(), kernels, transformer, tokenizer);
      try (Generator generator = new Generator(now)) {
        reader.sampled(step, generator.generate("", SHORT, piece -> {}).text());
      }
    }
  }
}
