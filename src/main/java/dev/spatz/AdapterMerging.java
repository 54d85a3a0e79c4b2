package dev.spatz;

import dev.spatz.checkpoint.Provenance;
import dev.spatz.checkpoint.TextConventions;
import dev.spatz.kernel.Kernels;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.WeightedAdapter;
import java.util.List;

/** Behind the door's methods that merge: a model and adapters → one model. */
final class AdapterMerging {
  private AdapterMerging() {}

  /** See {@link LanguageModel#merge(WeightedAdapter...)}. */
  static LanguageModel merge(LanguageModel model, List<WeightedAdapter> adapters) {
    return model.lifetime.whileOpen(
        () -> {
          Provenance provenance = model.provenance().orElse(null);
          try (Kernels kernels = model.kernels.create()) {
            Transformer merged = model.transformer.merged(kernels, adapters);
            return new LanguageModel(
                merged,
                model.tokenizer(),
                provenance == null ? null : provenance.merged(adapters),
                conventions(model, adapters),
                model.kernels,
                model.options);
          }
        });
  }

  /** A model that was taught to answer is saved with the template that it was taught with. */
  private static TextConventions conventions(LanguageModel model, List<WeightedAdapter> adapters) {
    TextConventions conventions = model.conventions;
    for (WeightedAdapter each : adapters) {
      String template = each.adapter().origin().get(ModelTraining.CHAT_TEMPLATE);
      conventions = template == null ? conventions : conventions.withChatTemplate(template);
    }
    return conventions;
  }
}
