package dev.spatz.generation;

import dev.spatz.constraint.Constraint;
import dev.spatz.transformer.LoraAdapter;
import dev.spatz.transformer.WeightedAdapter;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * How text is generated. A token is drawn by steps in this order: the logits processor, the bias,
 * the penalties, {@link Dry}, {@link Truncation}, {@link Xtc}, temperature, draw. What {@link
 * #defaults} does not name is off.
 *
 * @param maxNewTokens the most tokens to generate, at least 1
 * @param temperature divides the logits before the draw: below 1 more predictable, above 1 more
 *     varied; 0 always takes the likeliest token
 * @param truncation which tokens can be drawn at all
 * @param penalties what makes repeated tokens less likely
 * @param dry what makes the lengthening of repeated runs less likely
 * @param xtc what excludes the likeliest tokens now and then
 * @param logitBias is added to the logits of these ids; negative infinity forbids one
 * @param logitsProcessor the application's own first step, null for none
 * @param constraint the form that the text has, null for any; it comes after the processor
 * @param adapters whose updates are added to the model's weights for this text, none for the model
 *     as it is; texts with different adapters are written together
 * @param stopping what ends the text
 * @param seed of the draws: the same seed gives the same text; null: a new one is drawn, and
 *     reported by the {@link Generation}. Draw number n, from 0, is by {@code
 *     CounterRandom.of(seed).uniform(n)}
 * @param alternatives how many of the likeliest tokens, with log-probabilities, the {@link
 *     Generation} lists beside each one generated, from 0; null: it lists no tokens
 */
public record GenerationConfig(
    int maxNewTokens,
    double temperature,
    Truncation truncation,
    Penalties penalties,
    Dry dry,
    Xtc xtc,
    Map<Integer, Double> logitBias,
    @Nullable LogitsProcessor logitsProcessor,
    @Nullable Constraint constraint,
    List<WeightedAdapter> adapters,
    Stopping stopping,
    @Nullable Long seed,
    @Nullable Integer alternatives) {

  private static final GenerationConfig DEFAULTS =
      new GenerationConfig(
          128,
          0.8,
          Truncation.NONE.withTopP(0.95),
          Penalties.NONE,
          Dry.NONE,
          Xtc.NONE,
          Map.of(),
          null,
          null,
          List.of(),
          Stopping.AT_END_OF_TEXT,
          null,
          null);

  /**
   * Checks each value, and that they agree.
   *
   * @throws IllegalArgumentException if one is out of its range, or temperature is 0 and another
   *     setting could exclude the likeliest token
   */
  public GenerationConfig {
    Require.that(maxNewTokens >= 1, "maxNewTokens", maxNewTokens, "must be at least 1");
    Require.that(
        temperature >= 0 && temperature < Double.POSITIVE_INFINITY,
        "temperature",
        temperature,
        "must be finite and not negative");
    boolean excluding = xtc.probability() > 0 || truncation.typicalP() < 1;
    Require.that(
        temperature > 0 || !excluding,
        "temperature",
        temperature,
        "takes the likeliest token, which xtc or typicalP may exclude; leave those off");
    logitBias = Map.copyOf(logitBias);
    adapters = List.copyOf(adapters);
    logitBias.forEach(
        (id, bias) -> {
          Require.that(id >= 0, "logitBias of id", id, "is of no token; ids are not negative");
          Require.that(
              bias < Double.POSITIVE_INFINITY,
              "logitBias",
              bias,
              "must be finite, or negative infinity");
        });
    Require.that(
        alternatives == null || alternatives >= 0,
        "alternatives",
        String.valueOf(alternatives),
        "must not be negative");
  }

  /** 128 tokens, temperature 0.8, the likeliest 95 %, a new seed each time, stops at the end. */
  public static GenerationConfig defaults() {
    return DEFAULTS;
  }

  /** Always the likeliest token. */
  public static GenerationConfig greedy() {
    return DEFAULTS.withTemperature(0);
  }

  /** This configuration with another number of tokens at most. */
  public GenerationConfig withMaxNewTokens(int value) {
    return with(fields -> fields.maxNewTokens = value);
  }

  /** This configuration with another temperature. */
  public GenerationConfig withTemperature(double value) {
    return with(fields -> fields.temperature = value);
  }

  /** This configuration with another choice of tokens that can be drawn. */
  public GenerationConfig withTruncation(Truncation value) {
    return with(fields -> fields.truncation = value);
  }

  /** This configuration with another number of likeliest tokens. */
  public GenerationConfig withTopK(int value) {
    return withTruncation(truncation.withTopK(value));
  }

  /** This configuration with another sum of probabilities. */
  public GenerationConfig withTopP(double value) {
    return withTruncation(truncation.withTopP(value));
  }

  /** This configuration with another least ratio to the likeliest token. */
  public GenerationConfig withMinP(double value) {
    return withTruncation(truncation.withMinP(value));
  }

  /** This configuration with other penalties. */
  public GenerationConfig withPenalties(UnaryOperator<Penalties> change) {
    return with(fields -> fields.penalties = change.apply(penalties));
  }

  /** This configuration with another penalty of repeated runs. */
  public GenerationConfig withDry(UnaryOperator<Dry> change) {
    return with(fields -> fields.dry = change.apply(dry));
  }

  /** This configuration, excluding likeliest tokens so. */
  public GenerationConfig withXtc(Xtc value) {
    return with(fields -> fields.xtc = value);
  }

  /** This configuration with another bias of the logits of ids. */
  public GenerationConfig withLogitBias(Map<Integer, Double> value) {
    return with(fields -> fields.logitBias = value);
  }

  /** This configuration with another first step, null for none. */
  public GenerationConfig withLogitsProcessor(@Nullable LogitsProcessor value) {
    return with(fields -> fields.logitsProcessor = value);
  }

  /** This configuration for texts of a form, null for any. */
  public GenerationConfig withConstraint(@Nullable Constraint value) {
    return with(fields -> fields.constraint = value);
  }

  /** This configuration with an adapter, null for the model as it is. */
  public GenerationConfig withAdapter(@Nullable LoraAdapter value) {
    return withAdapters(
        value == null ? new WeightedAdapter[0] : new WeightedAdapter[] {value.weighted(1)});
  }

  /** This configuration with several adapters, whose updates are added up. */
  public GenerationConfig withAdapters(WeightedAdapter... values) {
    return with(fields -> fields.adapters = List.of(values));
  }

  /** This configuration with other ends. */
  public GenerationConfig withStopping(Stopping value) {
    return with(fields -> fields.stopping = value);
  }

  /** This configuration, stopping at the end-of-text token or not. */
  public GenerationConfig withStopAtEndOfText(boolean value) {
    return withStopping(stopping.withAtEndOfText(value));
  }

  /** This configuration, stopping before any of these strings. */
  public GenerationConfig withStopStrings(String... values) {
    return withStopping(stopping.withStrings(List.of(values)));
  }

  /** This configuration with another longest time. */
  public GenerationConfig withDeadline(Duration value) {
    return withStopping(stopping.withDeadline(value));
  }

  /** This configuration with a fixed seed. */
  public GenerationConfig withSeed(long value) {
    return with(fields -> fields.seed = value);
  }

  /** This configuration, listing the generated tokens with as many alternatives. */
  public GenerationConfig withAlternatives(int value) {
    return with(fields -> fields.alternatives = value);
  }

  private GenerationConfig with(Consumer<Fields> change) {
    Fields fields = new Fields(this);
    change.accept(fields);
    return fields.config();
  }

  /** The components, one of which is about to be another. */
  private static final class Fields {
    int maxNewTokens;
    double temperature;
    Truncation truncation;
    Penalties penalties;
    Dry dry;
    Xtc xtc;
    Map<Integer, Double> logitBias;
    @Nullable LogitsProcessor logitsProcessor;
    @Nullable Constraint constraint;
    List<WeightedAdapter> adapters;
    Stopping stopping;
    @Nullable Long seed;
    @Nullable Integer alternatives;

    Fields(GenerationConfig config) {
      maxNewTokens = config.maxNewTokens;
      temperature = config.temperature;
      truncation = config.truncation;
      penalties = config.penalties;
      dry = config.dry;
      xtc = config.xtc;
      logitBias = config.logitBias;
      logitsProcessor = config.logitsProcessor;
      constraint = config.constraint;
      adapters = config.adapters;
      stopping = config.stopping;
      seed = config.seed;
      alternatives = config.alternatives;
    }

    GenerationConfig config() {
      return new GenerationConfig(
          maxNewTokens,
          temperature,
          truncation,
          penalties,
          dry,
          xtc,
          logitBias,
          logitsProcessor,
          constraint,
          adapters,
          stopping,
          seed,
          alternatives);
    }
  }
}
