package dev.spatz.training;

import static dev.spatz.training.Requirements.atLeast;
import static dev.spatz.training.Requirements.require;

import dev.spatz.dataset.Conversations;
import dev.spatz.dataset.Corpus;
import org.jspecify.annotations.Nullable;

/**
 * How to resume a training run. Its plan, its tokenizer and its tokens are in its directory, so
 * that {@link #defaults()} goes on exactly. Who gives the corpus and the configuration again has
 * them compared with those of the run; what differs is refused, unless changes are allowed.
 *
 * @param corpus what the run shall train on, or null: what it has trained on
 * @param conversations the same of a run that trains on conversations; there is but one of the two
 * @param config how it shall train, or null: as it has trained. What is automatic in it stays as it
 *     was decided; of its tokenizer only the kind is compared
 * @param steps of the whole run, those before it stopped included; {@link TrainingConfig#AUTO}: as
 *     planned. Its schedule is stretched; for other settings there is {@code config}
 * @param changesAllowed whether data, configuration and kernels may be others than before; the
 *     shape of the model and the kind of the optimizer never
 * @param threads worker threads; {@link TrainingConfig#AUTO}: as the run was told. The result does
 *     not depend on it
 */
public record ResumeConfig(
    @Nullable Corpus corpus,
    @Nullable Conversations conversations,
    @Nullable TrainingConfig config,
    long steps,
    boolean changesAllowed,
    int threads) {

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if there is data without a configuration, which says what part
   *     of it is for validation; if there is data of both kinds; if there are both steps and a
   *     configuration; if a number is negative
   */
  public ResumeConfig {
    if (config == null && (corpus != null || conversations != null)) {
      throw new IllegalArgumentException(
          "data needs a config beside it, which says what part is for validation");
    }
    if (corpus != null && conversations != null) {
      throw new IllegalArgumentException("a run has either a corpus or conversations");
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
    return new ResumeConfig(corpus, conversations, value, steps, changesAllowed, threads);
  }

  /** With data and a configuration that are compared with the run's. */
  public ResumeConfig withData(Corpus data, TrainingConfig value) {
    return new ResumeConfig(data, null, value, steps, changesAllowed, threads);
  }

  /** With conversations and a configuration that are compared with the run's. */
  public ResumeConfig withData(Conversations data, TrainingConfig value) {
    return new ResumeConfig(null, data, value, steps, changesAllowed, threads);
  }

  /** With another number of steps of the whole run, otherwise as it was. */
  public ResumeConfig withSteps(long value) {
    return new ResumeConfig(corpus, conversations, config, value, changesAllowed, threads);
  }

  /** What differs from the run's is then done, not refused. */
  public ResumeConfig withChangesAllowed() {
    return new ResumeConfig(corpus, conversations, config, steps, true, threads);
  }

  /** With another number of worker threads. */
  public ResumeConfig withThreads(int value) {
    return new ResumeConfig(corpus, conversations, config, steps, changesAllowed, value);
  }
}
