package dev.spatz.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.spatz.generation.GenerationConfig;
import dev.spatz.generation.Penalties;
import dev.spatz.generation.Stopping;
import dev.spatz.generation.Truncation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How texts are generated ↔ the keys of {@code generation_config.json}, which mean what they mean
 * to Hugging Face's transformers (GenerationConfig, version 4.57), with two differences: where
 * {@code do_sample} is absent, a file with a setting of the draw asks for draws; and {@code top_k}
 * is off where it is absent.
 */
final class GenerationSettings {
  private static final String SAMPLE = "do_sample";
  private static final String MAX_NEW_TOKENS = "max_new_tokens";
  private static final String MAX_LENGTH = "max_length";
  private static final String TEMPERATURE = "temperature";
  private static final String TOP_K = "top_k";
  private static final String TOP_P = "top_p";
  private static final String MIN_P = "min_p";
  private static final String TYPICAL_P = "typical_p";
  private static final String REPETITION = "repetition_penalty";
  private static final String NO_REPEAT = "no_repeat_ngram_size";
  private static final String SUPPRESSED = "suppress_tokens";
  private static final String STOP_STRINGS = "stop_strings";
  private static final String MAX_TIME = "max_time";

  private static final double NANOS = 1e9;

  private static final Set<String> OF_THE_DRAW =
      Set.of(TEMPERATURE, TOP_K, TOP_P, MIN_P, TYPICAL_P);

  private static final Set<String> OTHERS =
      Set.of(
          SAMPLE,
          MAX_NEW_TOKENS,
          MAX_LENGTH,
          REPETITION,
          NO_REPEAT,
          SUPPRESSED,
          STOP_STRINGS,
          MAX_TIME);

  /** They change no text: ids that are read elsewhere, notes, matters of speed and of beams. */
  private static final Set<String> WITHOUT_EFFECT =
      Set.of(
          "bos_token_id",
          "eos_token_id",
          "pad_token_id",
          "transformers_version",
          "use_cache",
          "cache_implementation",
          "cache_config",
          "return_legacy_cache",
          "low_memory",
          "disable_compile",
          "compile_config",
          "prefill_chunk_size",
          "length_penalty",
          "early_stopping",
          "renormalize_logits",
          "return_dict_in_generate");

  /** Not implemented, but for the values that mean nothing; so are keys that nobody knows. */
  private static final Map<String, String> NEUTRAL =
      Map.ofEntries(
          Map.entry("min_length", "0"),
          Map.entry("min_new_tokens", "0"),
          Map.entry("num_beams", "1"),
          Map.entry("num_beam_groups", "1"),
          Map.entry("num_return_sequences", "1"),
          Map.entry("diversity_penalty", "0"),
          Map.entry("penalty_alpha", "0"),
          Map.entry("encoder_repetition_penalty", "1"),
          Map.entry("encoder_no_repeat_ngram_size", "0"),
          Map.entry("epsilon_cutoff", "0"),
          Map.entry("eta_cutoff", "0"),
          Map.entry("guidance_scale", "1"),
          Map.entry("token_healing", "false"),
          Map.entry("remove_invalid_values", "false"),
          Map.entry("output_attentions", "false"),
          Map.entry("output_hidden_states", "false"),
          Map.entry("output_scores", "false"),
          Map.entry("output_logits", "false"));

  private GenerationSettings() {}

  /**
   * What a file says, or null if it says nothing.
   *
   * @param contextLength of the model
   * @throws InvalidFileException if a value is wrong, or a key asks for what is not implemented
   */
  static @Nullable GenerationConfig read(JsonObject json, int contextLength)
      throws InvalidFileException {
    for (String key : json.keys()) {
      requireKnown(json, key);
    }
    if (OF_THE_DRAW.stream().noneMatch(json::has) && OTHERS.stream().noneMatch(json::has)) {
      return null;
    }
    try {
      Penalties penalties = penalties(json);
      GenerationConfig config =
          draw(json)
              .withPenalties(any -> penalties)
              .withStopping(stopping(json))
              .withLogitBias(suppressed(json));
      return config.withMaxNewTokens(maxNewTokens(json, config.maxNewTokens(), contextLength));
    } catch (IllegalArgumentException e) {
      throw new InvalidFileException(json.path(), e.getMessage(), e);
    }
  }

  private static void requireKnown(JsonObject json, String key) throws InvalidFileException {
    JsonNode value = json.find(key);
    if (value == null
        || key.startsWith("_")
        || OF_THE_DRAW.contains(key)
        || OTHERS.contains(key)
        || WITHOUT_EFFECT.contains(key)) {
      return;
    }
    String neutral = NEUTRAL.get(key);
    if (neutral == null) {
      throw json.invalid(key, "this is not implemented; take the key out of the file");
    }
    boolean isNeutral =
        value.isNumber() && !neutral.equals("false")
            ? value.doubleValue() == Double.parseDouble(neutral)
            : neutral.equals(value.asText());
    if (!isNeutral) {
      throw json.invalid(key, "this is not implemented; it must be " + neutral + " or absent");
    }
  }

  /** Temperature and truncation. */
  private static GenerationConfig draw(JsonObject json) throws InvalidFileException {
    GenerationConfig defaults = GenerationConfig.defaults();
    boolean named = OF_THE_DRAW.stream().anyMatch(json::has);
    if (!json.flag(true, SAMPLE)) {
      return defaults.withTruncation(Truncation.NONE).withTemperature(0);
    }
    if (!named && !json.has(SAMPLE)) {
      return defaults;
    }
    return defaults
        .withTruncation(
            new Truncation(
                0,
                json.integer(0, TOP_K),
                json.number(1, TYPICAL_P),
                json.number(1, TOP_P),
                json.number(0, MIN_P)))
        .withTemperature(json.number(1, TEMPERATURE));
  }

  /** They count the whole text, prompt included. */
  private static Penalties penalties(JsonObject json) throws InvalidFileException {
    double repetition = json.number(1, REPETITION);
    return (repetition == 1 ? Penalties.NONE : Penalties.NONE.withWindow(Integer.MAX_VALUE))
        .withRepetition(repetition)
        .withNoRepeatNgram(json.integer(0, NO_REPEAT));
  }

  private static Stopping stopping(JsonObject json) throws InvalidFileException {
    List<String> strings = new ArrayList<>();
    for (JsonNode string : elements(json, STOP_STRINGS)) {
      if (!string.isTextual()) {
        throw json.invalid(STOP_STRINGS, "it must be a string, or an array of strings");
      }
      strings.add(string.textValue());
    }
    Stopping stopping = Stopping.AT_END_OF_TEXT.withStrings(strings);
    if (!json.has(MAX_TIME)) {
      return stopping;
    }
    double seconds = json.requireNumber(MAX_TIME);
    if (!(seconds > 0 && seconds <= Integer.MAX_VALUE)) {
      throw json.invalid(MAX_TIME, "it must be a positive number of seconds below 2^31");
    }
    return stopping.withDeadline(Duration.ofNanos(Math.max(1, (long) (seconds * NANOS))));
  }

  private static Map<Integer, Double> suppressed(JsonObject json) throws InvalidFileException {
    Map<Integer, Double> bias = new HashMap<>();
    for (JsonNode id : elements(json, SUPPRESSED)) {
      if (!id.isIntegralNumber() || !id.canConvertToInt()) {
        throw json.invalid(SUPPRESSED, "it must be an array of ids");
      }
      bias.put(id.intValue(), Double.NEGATIVE_INFINITY);
    }
    return bias;
  }

  /** The elements of an array, or what stands in place of one. */
  private static Iterable<JsonNode> elements(JsonObject json, String key) {
    JsonNode value = json.find(key);
    return value == null ? List.of() : value.isArray() ? value : List.of(value);
  }

  /** The total length counts only where there is no number of new tokens. */
  private static int maxNewTokens(JsonObject json, int absent, int contextLength)
      throws InvalidFileException {
    if (json.has(MAX_NEW_TOKENS) || !json.has(MAX_LENGTH)) {
      return json.integer(absent, MAX_NEW_TOKENS);
    }
    if (json.integer(0, MAX_LENGTH) < contextLength) {
      throw json.invalid(
          MAX_LENGTH,
          "it counts the prompt too, which is not implemented below the context of "
              + contextLength
              + "; give "
              + MAX_NEW_TOKENS);
    }
    return contextLength;
  }

  /**
   * Writes settings.
   *
   * @throws IllegalArgumentException if the file has no key for one of them
   */
  static void write(GenerationConfig config, ObjectNode json) {
    requireWritable(config);
    json.put(MAX_NEW_TOKENS, config.maxNewTokens()).put(SAMPLE, config.temperature() > 0);
    Truncation truncation = config.truncation();
    if (config.temperature() > 0) {
      json.put(TEMPERATURE, config.temperature())
          .put(TOP_K, truncation.topK())
          .put(TOP_P, truncation.topP());
      put(json, MIN_P, truncation.minP(), 0);
      put(json, TYPICAL_P, truncation.typicalP(), 1);
    }
    put(json, REPETITION, config.penalties().repetition(), 1);
    if (config.penalties().noRepeatNgram() > 0) {
      json.put(NO_REPEAT, config.penalties().noRepeatNgram());
    }
    if (!config.logitBias().isEmpty()) {
      ArrayNode ids = json.putArray(SUPPRESSED);
      config.logitBias().keySet().stream().sorted().forEach(ids::add);
    }
    if (!config.stopping().strings().isEmpty()) {
      config.stopping().strings().forEach(json.putArray(STOP_STRINGS)::add);
    }
    Duration deadline = config.stopping().deadline();
    if (deadline != null) {
      json.put(MAX_TIME, deadline.toSeconds() + deadline.getNano() / NANOS);
    }
  }

  private static void put(ObjectNode json, String key, double value, double neutral) {
    if (value != neutral) {
      json.put(key, value);
    }
  }

  private static void requireWritable(GenerationConfig config) {
    Penalties penalties = config.penalties();
    requireOff("frequency", penalties.frequency(), penalties.frequency() != 0);
    requireOff("presence", penalties.presence(), penalties.presence() != 0);
    requireOff(
        "a repetition penalty whose window (it must be Integer.MAX_VALUE, for all of the text)",
        penalties.window(),
        penalties.repetition() != 1 && penalties.window() != Integer.MAX_VALUE);
    requireOff("dry", config.dry().multiplier(), config.dry().multiplier() != 0);
    requireOff("xtc", config.xtc().probability(), config.xtc().probability() != 0);
    double topNSigma = config.truncation().topNSigma();
    requireOff("topNSigma", topNSigma, config.temperature() > 0 && topNSigma != 0);
    config
        .logitBias()
        .forEach((id, bias) -> requireOff("logitBias", bias, bias != Double.NEGATIVE_INFINITY));
    requireOff("logitsProcessor", "an object", config.logitsProcessor() != null);
    requireOff("constraint", String.valueOf(config.constraint()), config.constraint() != null);
    requireOff("seed", String.valueOf(config.seed()), config.seed() != null);
    requireOff(
        "alternatives", String.valueOf(config.alternatives()), config.alternatives() != null);
    requireOff("stopAtEndOfText", false, !config.stopping().atEndOfText());
    requireOff("stop tokens", config.stopping().tokens(), !config.stopping().tokens().isEmpty());
  }

  private static void requireOff(String name, Object value, boolean isOn) {
    if (isOn) {
      throw new IllegalArgumentException(
          name + " (" + value + ") cannot be written into " + GenerationConfigFile.NAME);
    }
  }
}
