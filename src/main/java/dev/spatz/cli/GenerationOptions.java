package dev.spatz.cli;

import dev.spatz.generation.Dry;
import dev.spatz.generation.GenerationConfig;
import dev.spatz.generation.Penalties;
import dev.spatz.generation.Stopping;
import dev.spatz.generation.Truncation;
import dev.spatz.generation.Xtc;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** How a text is written and ends: all of {@link GenerationConfig}. */
final class GenerationOptions {
  private static final double MILLIS_PER_SECOND = 1000;

  @Option(
      names = "--max-new-tokens",
      paramLabel = "N",
      description =
          "The most tokens to generate (default: what the model says, or 128; in a conversation,"
              + " 512 instead of 128).")
  private @Nullable Integer maxNewTokens;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "The same seed gives the same text (default: a new one each time).")
  private @Nullable Long seed;

  @ArgGroup private @Nullable ConstraintOptions constraint;

  @ArgGroup(exclusive = false, heading = "%nWhat ends the text:%n")
  private Ends ends = new Ends();

  @ArgGroup(exclusive = false, heading = "%nHow each token is drawn, in this order:%n")
  private Sampling sampling = new Sampling();

  private static final class Ends {
    @Option(
        names = "--stop",
        paramLabel = "TEXT",
        description = "End before this text; may be given several times.")
    private @Nullable List<String> strings;

    @Option(
        names = "--stop-token",
        paramLabel = "ID",
        description = "End at this token; may be given several times.")
    private @Nullable List<Integer> tokens;

    @Option(names = "--ignore-end", description = "Go on where the model would end the text.")
    private boolean ignoreEnd;

    @Option(
        names = "--deadline",
        paramLabel = "SECONDS",
        description = "End after this time, such as 10 or 0.5 (default: none).")
    private @Nullable Double deadline;

    Stopping stopping(Stopping given) {
      Stopping stopping = given.withAtEndOfText(!ignoreEnd);
      stopping = with(strings, stopping, Stopping::withStrings);
      if (tokens != null) {
        Set<Integer> ids = new LinkedHashSet<>(tokens);
        stopping = stopping.withTokens(ids);
      }
      return deadline == null
          ? stopping
          : stopping.withDeadline(Duration.ofMillis(Math.round(deadline * MILLIS_PER_SECOND)));
    }
  }

  private static final class Sampling {
    @Option(
        names = "--logit-bias",
        order = 1,
        paramLabel = "ID=X",
        description = "Add X to the logit of a token; -Infinity forbids it.")
    private @Nullable Map<Integer, Double> logitBias;

    @Option(
        names = "--repetition-penalty",
        order = 2,
        paramLabel = "X",
        description = "Above 1 makes the last tokens less likely (default: 1).")
    private @Nullable Double repetition;

    @Option(
        names = "--frequency-penalty",
        order = 3,
        paramLabel = "X",
        description = "Taken off a logit for each time among the last tokens (default: 0).")
    private @Nullable Double frequency;

    @Option(
        names = "--presence-penalty",
        order = 4,
        paramLabel = "X",
        description = "Taken off a logit for being among the last tokens (default: 0).")
    private @Nullable Double presence;

    @Option(
        names = "--penalty-window",
        order = 5,
        paramLabel = "N",
        description = "How many of the last tokens these three look at (default: 64).")
    private @Nullable Integer window;

    @Option(
        names = "--no-repeat-ngram",
        order = 6,
        paramLabel = "N",
        description = "Never write the same N tokens twice (default: 0, off).")
    private @Nullable Integer noRepeatNgram;

    @Option(
        names = "--dry-multiplier",
        order = 7,
        paramLabel = "X",
        description = "Penalize what lengthens a repetition; 0.8 is usual (default: 0, off).")
    private @Nullable Double dryMultiplier;

    @Option(
        names = "--dry-base",
        order = 8,
        paramLabel = "X",
        description = "How fast that grows with the length (default: 1.75).")
    private @Nullable Double dryBase;

    @Option(
        names = "--dry-allowed-length",
        order = 9,
        paramLabel = "N",
        description = "Shorter repetitions are free (default: 2).")
    private @Nullable Integer dryAllowedLength;

    @Option(
        names = "--dry-window",
        order = 10,
        paramLabel = "N",
        description = "How many of the last tokens are searched (default: all).")
    private @Nullable Integer dryWindow;

    @Option(
        names = "--dry-breaker",
        order = 11,
        paramLabel = "TEXT",
        description = "What ends a repetition (default: line end, colon, quote, asterisk).")
    private @Nullable List<String> dryBreakers;

    @Option(
        names = "--top-n-sigma",
        order = 12,
        paramLabel = "X",
        description = "Keep logits within X standard deviations of the best (default: 0, all).")
    private @Nullable Double topNSigma;

    @Option(
        names = "--top-k",
        order = 13,
        paramLabel = "N",
        description = "Keep the N likeliest tokens (default: 0, all).")
    private @Nullable Integer topK;

    @Option(
        names = "--typical-p",
        order = 14,
        paramLabel = "X",
        description = "Keep the most typical tokens of this probability (default: 1, all).")
    private @Nullable Double typicalP;

    @Option(
        names = "--top-p",
        order = 15,
        paramLabel = "X",
        description = "Keep the likeliest tokens of this probability (default: 0.95).")
    private @Nullable Double topP;

    @Option(
        names = "--min-p",
        order = 16,
        paramLabel = "X",
        description = "Keep tokens at least X times as likely as the likeliest (default: 0, all).")
    private @Nullable Double minP;

    @Option(
        names = "--xtc-probability",
        order = 17,
        paramLabel = "X",
        description = "How often the likeliest tokens are excluded (default: 0).")
    private @Nullable Double xtcProbability;

    @Option(
        names = "--xtc-threshold",
        order = 18,
        paramLabel = "X",
        description = "Which are: all that are so likely, but for the last (default: 0.1).")
    private @Nullable Double xtcThreshold;

    @Option(
        names = "--temperature",
        order = 19,
        paramLabel = "X",
        description = "Lower is more predictable, 0 takes the likeliest token (default: 0.8).")
    private @Nullable Double temperature;

    GenerationConfig applyTo(GenerationConfig given) {
      GenerationConfig config =
          with(logitBias, given, GenerationConfig::withLogitBias)
              .withPenalties(this::penalties)
              .withDry(this::dry)
              .withTruncation(truncation(given.truncation()))
              .withXtc(xtc(given.xtc()));
      return with(temperature, config, GenerationConfig::withTemperature);
    }

    private Penalties penalties(Penalties given) {
      Penalties penalties = with(repetition, given, Penalties::withRepetition);
      penalties = with(frequency, penalties, Penalties::withFrequency);
      penalties = with(presence, penalties, Penalties::withPresence);
      penalties = with(window, penalties, Penalties::withWindow);
      return with(noRepeatNgram, penalties, Penalties::withNoRepeatNgram);
    }

    private Dry dry(Dry given) {
      Dry dry = with(dryMultiplier, given, Dry::withMultiplier);
      dry = with(dryBase, dry, Dry::withBase);
      dry = with(dryAllowedLength, dry, Dry::withAllowedLength);
      dry = with(dryWindow, dry, Dry::withWindow);
      return dryBreakers == null ? dry : dry.withBreakers(new LinkedHashSet<>(dryBreakers));
    }

    private Truncation truncation(Truncation given) {
      Truncation truncation = with(topNSigma, given, Truncation::withTopNSigma);
      truncation = with(topK, truncation, Truncation::withTopK);
      truncation = with(typicalP, truncation, Truncation::withTypicalP);
      truncation = with(topP, truncation, Truncation::withTopP);
      return with(minP, truncation, Truncation::withMinP);
    }

    private Xtc xtc(Xtc given) {
      return new Xtc(
          xtcProbability == null ? given.probability() : xtcProbability,
          xtcThreshold == null ? given.threshold() : xtcThreshold);
    }
  }

  /**
   * A configuration with what the options say.
   *
   * @throws IllegalArgumentException if a value is out of its range
   * @throws IOException if a schema or grammar cannot be read
   */
  GenerationConfig applyTo(GenerationConfig given) throws IOException {
    GenerationConfig config = with(maxNewTokens, given, GenerationConfig::withMaxNewTokens);
    config = with(seed, config, GenerationConfig::withSeed);
    config = sampling.applyTo(config.withStopping(ends.stopping(config.stopping())));
    return constraint == null ? config : config.withConstraint(constraint.constraint());
  }

  private static <T, C> C with(@Nullable T value, C config, BiFunction<C, T, C> change) {
    return value == null ? config : change.apply(config, value);
  }
}
