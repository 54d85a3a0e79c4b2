package dev.spatz.cli;

import dev.spatz.generation.LoadOptions;
import dev.spatz.kernel.WeightPrecision;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options of the commands that read a model: how its weights are read. */
final class WeightOptions {
  @Option(
      names = "--precision",
      defaultValue = "float32",
      paramLabel = "NAME",
      description = "Of the weights: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private WeightPrecision precision;

  @Option(names = "--threads", paramLabel = "N", description = "Default: the processors.")
  private @Nullable Integer threads;

  LoadOptions options() {
    LoadOptions options = LoadOptions.defaults().withPrecision(precision);
    return threads == null ? options : options.withThreads(threads);
  }
}
