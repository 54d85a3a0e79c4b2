package dev.spatz.cli;

import dev.spatz.LanguageModel;
import dev.spatz.generation.LoadOptions;
import dev.spatz.transformer.WeightedAdapter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Option;

/** The adapters that a model is used with. */
final class AdapterOptions {
  private static final Pattern WEIGHTED = Pattern.compile("(.+)=(-?[0-9]*\\.?[0-9]+)");

  @Option(
      names = "--adapter",
      paramLabel = "DIR[=X]",
      description = {
        "Directory of an adapter, with X times its effect (default: 1); may be given several times."
      })
  private List<String> adapters = List.of();

  boolean isEmpty() {
    return adapters.isEmpty();
  }

  /** The adapters of a model. */
  WeightedAdapter[] load(LanguageModel model) throws IOException {
    WeightedAdapter[] loaded = new WeightedAdapter[adapters.size()];
    for (int i = 0; i < loaded.length; i++) {
      Matcher weighted = WEIGHTED.matcher(adapters.get(i));
      boolean given = weighted.matches();
      Path directory = Path.of(given ? weighted.group(1) : adapters.get(i));
      double weight = given ? Double.parseDouble(weighted.group(2)) : 1;
      loaded[i] = model.loadAdapter(directory).weighted(weight);
    }
    return loaded;
  }

  /** A model with the adapters in its weights; the caller closes it. */
  LanguageModel loadModel(Path directory, LoadOptions options) throws IOException {
    LanguageModel model = LanguageModel.load(directory, options);
    if (adapters.isEmpty()) {
      return model;
    }
    try (model) {
      return model.merge(load(model));
    }
  }
}
