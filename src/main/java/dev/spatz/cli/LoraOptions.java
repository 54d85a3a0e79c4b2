package dev.spatz.cli;

import dev.spatz.generation.LoadOptions;
import dev.spatz.kernel.WeightPrecision;
import dev.spatz.transformer.LoraConfig;
import dev.spatz.transformer.LoraTarget;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** That an adapter is trained instead of the model, and its shape. */
final class LoraOptions {
  @Option(
      names = "--lora",
      required = true,
      description = {
        "Train an adapter beside the model, of few weights, in little memory; --out gets the"
            + " adapter, for generate --adapter."
      })
  private boolean lora;

  @Option(names = "--lora-rank", paramLabel = "N", description = "Default: 8.")
  private @Nullable Integer rank;

  @Option(
      names = "--lora-alpha",
      paramLabel = "X",
      description = "The adapter's effect is scaled by alpha/rank (default: 16).")
  private @Nullable Double alpha;

  @Option(
      names = "--lora-dropout",
      paramLabel = "X",
      description = "Of what goes into the adapter, while training (default: 0).")
  private @Nullable Double dropout;

  @Option(
      names = "--lora-targets",
      paramLabel = "NAME",
      split = ",",
      description = {
        "The matrices that it changes (default: all): QUERY, KEY, VALUE, OUTPUT, GATE, UP, DOWN; of"
            + " a GPT-2 QUERY_KEY_VALUE, OUTPUT, UP, DOWN."
      })
  private LoraTarget @Nullable [] targets;

  @Option(
      names = "--lora-base",
      defaultValue = "float32",
      paramLabel = "NAME",
      description =
          "How the model's own matrices are held meanwhile, which stay as they are:"
              + " ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}). Fewer bytes take less"
              + " memory, and the adapter learns beside the rounded ones.")
  private WeightPrecision base;

  /** How the model is loaded. */
  LoadOptions base() {
    LoadOptions options = LoadOptions.defaults();
    return base == WeightPrecision.FLOAT32 ? options : options.withFrozen(base);
  }

  /** The options that the model is loaded with again, to resume. */
  String again() {
    return base == WeightPrecision.FLOAT32 ? "--lora" : "--lora --lora-base " + base;
  }

  /** Whether anything is said of its shape. */
  boolean shaped() {
    return rank != null || alpha != null || dropout != null || targets != null;
  }

  LoraConfig config() {
    LoraConfig config = LoraConfig.defaults();
    config = rank == null ? config : config.withRank(rank);
    config = alpha == null ? config : config.withAlpha(alpha);
    config = dropout == null ? config : config.withDropout(dropout);
    return targets == null ? config : config.withTargets(targets);
  }
}
