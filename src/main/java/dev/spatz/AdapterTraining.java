package dev.spatz;

import dev.spatz.LanguageModel.DivergedException;
import dev.spatz.checkpoint.Provenance;
import dev.spatz.dataset.TrainingData;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.report.FlightRecording;
import dev.spatz.training.Cancellation;
import dev.spatz.training.FineTuning;
import dev.spatz.training.Trainer;
import dev.spatz.training.TrainingConfig;
import dev.spatz.training.TrainingDivergedException;
import dev.spatz.training.TrainingListener;
import dev.spatz.training.TrainingResult;
import dev.spatz.transformer.LoraAdapter;
import dev.spatz.transformer.LoraConfig;
import dev.spatz.transformer.Transformer;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A low-rank adapter that is trained on a data set, beside the weights of a model that stays open
 * and in use meanwhile.
 *
 * @param config its learning rate decided
 * @param more what else is known of the adapter's origin
 */
record AdapterTraining(
    LanguageModel model,
    TrainingData data,
    TrainingConfig config,
    LoraConfig lora,
    Map<String, String> more) {
  /** In the origin of an adapter that was taught to answer: how its conversations are spelled. */
  static final String CHAT_TEMPLATE = "chat template";

  LoraAdapter train(TrainingListener listener, Cancellation cancellation) throws IOException {
    Map<String, String> base = ModelTraining.base(model);
    return model.lifetime.whileOpen(
        () -> {
          KernelBackend kernels = KernelBackend.choose();
          try (Transformer adapted = FineTuning.adapted(model.transformer, config, lora);
              Trainer trainer = Trainer.create(adapted, data, config, kernels)) {
            TrainingListener all =
                listener
                    .and(new FlightRecording())
                    .and(
                        new TrainingSamples(
                            listener,
                            model.transformer,
                            model.tokenizer(),
                            kernels,
                            () -> List.of(adapted.adapter(Map.of()).weighted(1))));
            try {
              TrainingResult result = trainer.run(all, cancellation);
              return adapted.adapter(origin(trainer, result, base));
            } catch (TrainingDivergedException e) {
              LoraAdapter lastGood = adapted.adapter(origin(trainer, null, base));
              throw new DivergedException(e, model.merge(lastGood), lastGood);
            }
          }
        });
  }

  private Map<String, String> origin(
      Trainer trainer, @Nullable TrainingResult result, Map<String, String> base) {
    Map<String, String> origin =
        new LinkedHashMap<>(Provenance.of(data, trainer.plan(), result, base).entries());
    origin.putAll(more);
    return origin;
  }
}
