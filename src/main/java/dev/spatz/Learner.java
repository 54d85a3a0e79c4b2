package dev.spatz;

import dev.spatz.LanguageModel.DivergedException;
import dev.spatz.checkpoint.Checkpoint;
import dev.spatz.checkpoint.Provenance;
import dev.spatz.checkpoint.RunSettings;
import dev.spatz.checkpoint.TextConventions;
import dev.spatz.generation.ModelLifetime;
import dev.spatz.generation.ModelParts;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.training.TrainingDivergedException;
import dev.spatz.training.TrainingListener;
import dev.spatz.training.TrainingState;
import dev.spatz.transformer.LoraAdapter;
import dev.spatz.transformer.Transformer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What learns in a training run, and what it is in the end.
 *
 * @param <T> a model, or an adapter of one
 */
interface Learner<T> {
  /** What the passes go through. */
  Transformer transformer();

  /** Lets it write after evaluations, for a listener that wants to read. */
  TrainingListener samples(TrainingListener reader, KernelBackend kernels);

  /** It as it is now, with the state of its trainer. */
  Checkpoint checkpoint(Provenance provenance, RunSettings settings, TrainingState state);

  /** It as it is now, for good. */
  T learned(Provenance provenance, KernelBackend kernels);

  /** What is thrown where a run ends with a loss that is not finite; it has the last good one. */
  DivergedException diverged(
      TrainingDivergedException cause, Provenance provenance, KernelBackend kernels);

  /** There will be nothing that was learned. */
  void abandon();

  /**
   * A model of its own.
   *
   * @param transformer becomes the model's, or is closed if there will be none
   * @param conventions of the model's texts
   */
  record OfModel(Transformer transformer, Tokenizer tokenizer, TextConventions conventions)
      implements Learner<LanguageModel> {

    @Override
    public TrainingListener samples(TrainingListener reader, KernelBackend kernels) {
      return new TrainingSamples(
          reader,
          () -> new ModelParts(new ModelLifetime(), kernels, transformer, tokenizer),
          List::of);
    }

    @Override
    public Checkpoint checkpoint(Provenance provenance, RunSettings settings, TrainingState state) {
      return Checkpoint.ofModel(transformer, tokenizer, provenance, conventions, settings, state);
    }

    @Override
    public LanguageModel learned(Provenance provenance, KernelBackend kernels) {
      return new LanguageModel(transformer, tokenizer, provenance, conventions, kernels);
    }

    @Override
    public DivergedException diverged(
        TrainingDivergedException cause, Provenance provenance, KernelBackend kernels) {
      return new DivergedException(cause, learned(provenance, kernels));
    }

    @Override
    public void abandon() {
      transformer.close();
    }
  }

  /**
   * A low-rank adapter beside a model, which stays open and in use meanwhile.
   *
   * @param transformer the model with the adapter; whoever made it closes it
   * @param more what else is known of the adapter's origin
   */
  record OfAdapter(LanguageModel model, Transformer transformer, Map<String, String> more)
      implements Learner<LoraAdapter> {

    @Override
    public TrainingListener samples(TrainingListener reader, KernelBackend kernels) {
      return new TrainingSamples(
          reader,
          () ->
              new ModelParts(
                  new ModelLifetime(),
                  kernels,
                  model.transformer,
                  model.tokenizer(),
                  model.options),
          () -> List.of(transformer.adapter(Map.of()).weighted(1)));
    }

    @Override
    public Checkpoint checkpoint(Provenance provenance, RunSettings settings, TrainingState state) {
      return Checkpoint.ofAdapter(adapter(provenance), model.tokenizer(), settings, state);
    }

    @Override
    public LoraAdapter learned(Provenance provenance, KernelBackend kernels) {
      return adapter(provenance);
    }

    private LoraAdapter adapter(Provenance provenance) {
      Map<String, String> origin = new LinkedHashMap<>(provenance.entries());
      origin.putAll(more);
      return transformer.adapter(origin);
    }

    @Override
    public DivergedException diverged(
        TrainingDivergedException cause, Provenance provenance, KernelBackend kernels) {
      return new DivergedException(cause, model, adapter(provenance));
    }

    @Override
    public void abandon() {}
  }
}
