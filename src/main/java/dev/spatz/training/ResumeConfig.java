package dev.spatz.training;

import static dev.spatz.training.Requirements.atLeast;
import static dev.spatz.training.Requirements.require;

import dev.spatz.dataset.TrainingSource;
import dev.spatz.transformer.LoraConfig;
import org.jspecify.annotations.Nullable;

/**
 * How to resume a training run. Its plan, its tokenizer and its tokens are in its directory, so
 * that {@link #defaults()} goes on exactly. Who gives the data and the configuration again has them
 * compared with those of the run; what differs is refused, unless changes are allowed.
 *
 * @param data what the run shall train on, or null: what it has trained on
 * @param config how it shall train, or null: as it has trained. What is automatic in it stays as it
 *     was decided; of its tokenizer only the kind is compared
 * @param lora shape of the adapter, of a run that trains one, or null: as it is
 * @param steps of the whole run, those before it stopped included; {@link TrainingConfig#AUTO}: as
 *     planned. Its schedule is stretched; for other settings there is {@code config}
 * @param changesAllowed whether data, configuration and kernels may be others than before; the
 *     shape of model and adapter, the kind of the optimizer, and pairs of answers never
 * @param threads worker threads; {@link TrainingConfig#AUTO}: as the run was told. The result does
 *     not depend on it
 */
public record ResumeConfig(
    @Nullable TrainingSource data,
    @Nullable TrainingConfig config,
    @Nullable LoraConfig lora,
    long steps,
    boolean changesAllowed,
    int threads) {

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if there is data without a configuration, which says what part
   *     of it is for validation; if there are both steps and a configuration; if a number is
   *     negative
   */
  public ResumeConfig {
    if (config == null && data != null) {
      throw new IllegalArgumentException(
          "data needs a config beside it, which says what part is for validation");
    }
    require(
        steps == TrainingConfig.AUTO || config == null,
        "steps",
        steps,
        "must be those of the config where there is one");
    atLeast(0, "steps", steps);
    atLeast(0, "threads", threads);
  }

  /** Goes on exactly as before. */
  public static ResumeConfig defaults() {
    return new ResumeConfig(null, null, null, TrainingConfig.AUTO, false, TrainingConfig.AUTO);
  }

  /** With a configuration that is compared with the run's. */
  public ResumeConfig withConfig(TrainingConfig value) {
    return new ResumeConfig(data, value, lora, steps, changesAllowed, threads);
  }

  /** With data and a configuration that are compared with the run's. */
  public ResumeConfig withData(TrainingSource source, TrainingConfig value) {
    return new ResumeConfig(source, value, lora, steps, changesAllowed, threads);
  }

  /** With a shape of the adapter that is compared with the run's. */
  public ResumeConfig withLora(LoraConfig value) {
    return new ResumeConfig(data, config, value, steps, changesAllowed, threads);
  }

  /** With another number of steps of the whole run, otherwise as it was. */
  public ResumeConfig withSteps(long value) {
    return new ResumeConfig(data, config, lora, value, changesAllowed, threads);
  }

  /** What differs from the run's is then done, not refused. */
  public ResumeConfig withChangesAllowed() {
    return new ResumeConfig(data, config, lora, steps, true, threads);
  }

  /** With another number of worker threads. */
  public ResumeConfig withThreads(int value) {
    return new ResumeConfig(data, config, lora, steps, changesAllowed, value);
  }
}
