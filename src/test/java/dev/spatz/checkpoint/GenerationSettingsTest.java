package dev.spatz.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.spatz.constraint.Constraint;
import dev.spatz.generation.GenerationConfig;
import dev.spatz.generation.Truncation;
import dev.spatz.generation.Xtc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GenerationSettingsTest {
  private static final int CONTEXT = 1024;
  private static final GenerationConfig DEFAULTS = GenerationConfig.defaults();

  @TempDir Path directory;

  private @Nullable GenerationConfig read(String json) throws IOException {
    Path file = directory.resolve(GenerationConfigFile.NAME);
    Files.writeString(file, json);
    return GenerationSettings.read(JsonObject.read(file, JsonObject.SETTINGS_BYTES), CONTEXT);
  }

  private static GenerationConfig drawing(double temperature, Truncation truncation) {
    return DEFAULTS.withTemperature(temperature).withTruncation(truncation);
  }

  /** As files of GPT-2, with what changes no text. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{\"_from_model_config\": true, \"bos_token_id\": 1, \"eos_token_id\": [2, 3]}",
        "{\"transformers_version\": \"4.46.2\", \"use_cache\": false, \"temperature\": null}",
        "{\"num_beams\": 1, \"penalty_alpha\": 0.0, \"token_healing\": false, \"min_length\": 0}"
      })
  void read_whereAFileSaysNothing_isNull(String json) throws IOException {
    assertNull(read(json));
  }

  @Test
  void read_takesWhatTheFilesOfOthersSay() throws IOException {
    assertEquals(
        drawing(0.6, Truncation.NONE.withTopP(0.9)),
        read("{\"do_sample\": true, \"temperature\": 0.6, \"top_p\": 0.9}"));
    assertEquals(
        drawing(0.7, Truncation.NONE.withTopP(0.8).withTopK(20))
            .withPenalties(p -> p.withRepetition(1.05).withWindow(Integer.MAX_VALUE)),
        read(
            "{\"do_sample\": true, \"repetition_penalty\": 1.05, \"temperature\": 0.7,"
                + " \"top_p\": 0.8, \"top_k\": 20}"));
    assertEquals(
        drawing(1, Truncation.NONE.withTopK(40)), read("{\"do_sample\": true, \"top_k\": 40}"));
    assertEquals(
        drawing(0.9, Truncation.NONE.withTopP(0.6)),
        read("{\"temperature\": 0.9, \"top_p\": 0.6}"));
    assertEquals(drawing(1, Truncation.NONE), read("{\"do_sample\": true}"));
    assertEquals(DEFAULTS.withMaxNewTokens(7), read("{\"max_new_tokens\": 7, \"max_length\": 20}"));
    assertEquals(DEFAULTS.withMaxNewTokens(CONTEXT), read("{\"max_length\": 1024}"));
    assertEquals(
        drawing(0, Truncation.NONE).withMaxNewTokens(200),
        read("{\"do_sample\": false, \"max_new_tokens\": 200, \"temperature\": 0.7}"));
  }

  @Test
  void read_takesEveryOtherSetting() throws IOException {
    assertEquals(
        drawing(1, Truncation.NONE.withMinP(0.1).withTypicalP(0.5))
            .withPenalties(p -> p.withNoRepeatNgram(3))
            .withLogitBias(Map.of(5, Double.NEGATIVE_INFINITY, 6, Double.NEGATIVE_INFINITY))
            .withStopStrings("END", "###")
            .withDeadline(Duration.ofMillis(1500)),
        read(
            "{\"min_p\": 0.1, \"typical_p\": 0.5, \"no_repeat_ngram_size\": 3,"
                + " \"suppress_tokens\": [5, 6], \"stop_strings\": [\"END\", \"###\"],"
                + " \"max_time\": 1.5}"));
    assertEquals(DEFAULTS.withStopStrings("END"), read("{\"stop_strings\": \"END\"}"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"num_beams\": 4}                     | num_beams is 4; this is not implemented; it must",
        "{\"guidance_scale\": 1.5}              | guidance_scale is 1.5; this is not implemented",
        "{\"watermarking_config\": {}}          | watermarking_config is {}; this is not implem",
        "{\"temprature\": 1}                    | temprature is 1; this is not implemented; take",
        "{\"top_p\": 1.5}                       | topP (1.5) must be",
        "{\"top_k\": 2.5}                       | top_k is 2.5; it must be a whole number",
        "{\"temperature\": \"hot\"}             | temperature is \"hot\"; it must be a number",
        "{\"do_sample\": 1}                     | do_sample is 1; it must be true or false",
        "{\"max_new_tokens\": 0}                | maxNewTokens (0) must be",
        "{\"max_length\": 20}                   | max_length is 20; it counts the prompt too",
        "{\"max_time\": -1}                     | max_time is -1; it must be a positive number",
        "{\"stop_strings\": [1]}                | stop_strings is [1]; it must be a string",
        "{\"suppress_tokens\": [\"a\"]}         | suppress_tokens is [\"a\"]; it must be an array",
        "{\"temperature\": 0, \"typical_p\": 0.5}| temperature (0.0)"
      })
  void read_refusesWhatIsWrongOrNotImplemented(String json, String fault) {
    String message = assertThrows(InvalidFileException.class, () -> read(json)).getMessage();
    assertTrue(message.contains(fault), message);
    assertTrue(message.contains(GenerationConfigFile.NAME), message);
  }

  @Test
  void write_thenRead_isTheSame() throws IOException {
    List<GenerationConfig> configs =
        List.of(
            DEFAULTS,
            DEFAULTS.withTopK(5).withMinP(0.2).withMaxNewTokens(9).withStopStrings("a", "b"),
            DEFAULTS
                .withTruncation(Truncation.NONE.withTypicalP(0.3))
                .withDeadline(Duration.ofMillis(2250)),
            DEFAULTS
                .withPenalties(p -> p.withRepetition(1.2).withWindow(Integer.MAX_VALUE))
                .withLogitBias(Map.of(3, Double.NEGATIVE_INFINITY)),
            GenerationConfig.greedy()
                .withTruncation(Truncation.NONE)
                .withPenalties(p -> p.withNoRepeatNgram(2)));
    for (GenerationConfig config : configs) {
      ObjectNode json = JsonObject.create();
      GenerationSettings.write(config, json);
      assertEquals(config, read(json.toString()));
    }
  }

  @Test
  void write_namesEverySettingOfTheDraw() {
    ObjectNode json = JsonObject.create();
    GenerationSettings.write(DEFAULTS, json);
    assertEquals(
        "{\"max_new_tokens\":128,\"do_sample\":true,\"temperature\":0.8,\"top_k\":0,\"top_p\":0.95}",
        json.toString());
  }

  @Test
  void write_refusesWhatTheFileHasNoKeyFor() {
    requireRefusal("frequency (0.5)", DEFAULTS.withPenalties(p -> p.withFrequency(0.5)));
    requireRefusal("presence (0.5)", DEFAULTS.withPenalties(p -> p.withPresence(0.5)));
    requireRefusal("window", DEFAULTS.withPenalties(p -> p.withRepetition(1.1)));
    requireRefusal("dry (0.8)", DEFAULTS.withDry(dry -> dry.withMultiplier(0.8)));
    requireRefusal("xtc (0.5)", DEFAULTS.withXtc(new Xtc(0.5, 0.1)));
    requireRefusal("topNSigma (1.0)", DEFAULTS.withTruncation(Truncation.NONE.withTopNSigma(1)));
    requireRefusal("logitBias (1.0)", DEFAULTS.withLogitBias(Map.of(1, 1.0)));
    requireRefusal("logitsProcessor", DEFAULTS.withLogitsProcessor((tokens, logits) -> {}));
    requireRefusal("constraint (regex a)", DEFAULTS.withConstraint(Constraint.regex("a")));
    requireRefusal("seed (1)", DEFAULTS.withSeed(1));
    requireRefusal("alternatives (2)", DEFAULTS.withAlternatives(2));
    requireRefusal("stopAtEndOfText", DEFAULTS.withStopAtEndOfText(false));
    requireRefusal(
        "stop tokens ([4])", DEFAULTS.withStopping(DEFAULTS.stopping().withTokens(Set.of(4))));
  }

  private static void requireRefusal(String name, GenerationConfig config) {
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> GenerationSettings.write(config, JsonObject.create()))
            .getMessage();
    assertTrue(message.contains(name), message);
  }
}
