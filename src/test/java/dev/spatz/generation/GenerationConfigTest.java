package dev.spatz.generation;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class GenerationConfigTest {
  private final GenerationConfig config = GenerationConfig.defaults();

  private static void assertRefused(String name, Executable executable) {
    String message = assertThrows(IllegalArgumentException.class, executable).getMessage();
    assertTrue(message.contains(name), message);
  }

  @Test
  void maxNewTokens_mustBePositive() {
    assertRefused("maxNewTokens (0)", () -> config.withMaxNewTokens(0));
  }

  @Test
  void temperature_mustNotBeNegativeOrInfinite() {
    assertRefused("temperature (-0.1)", () -> config.withTemperature(-0.1));
    assertRefused("temperature", () -> config.withTemperature(Double.NaN));
    assertRefused("temperature", () -> config.withTemperature(Double.POSITIVE_INFINITY));
  }

  @Test
  void topK_mustNotBeNegative() {
    assertRefused("topK (-1)", () -> config.withTopK(-1));
  }

  @Test
  void topP_mustBeAProbability() {
    assertRefused("topP (0.0)", () -> config.withTopP(0));
    assertRefused("topP (1.1)", () -> config.withTopP(1.1));
    assertRefused("topP", () -> config.withTopP(Double.NaN));
  }

  @Test
  void everyOtherField_isChecked() {
    assertRefused("minP (1.05)", () -> config.withMinP(1.05));
    assertRefused("topNSigma (-1.0)", () -> Truncation.NONE.withTopNSigma(-1));
    assertRefused("typicalP (0.0)", () -> Truncation.NONE.withTypicalP(0));
    assertRefused("repetition (0.0)", () -> Penalties.NONE.withRepetition(0));
    assertRefused("frequency (NaN)", () -> Penalties.NONE.withFrequency(Double.NaN));
    assertRefused("presence (Infinity)", () -> Penalties.NONE.withPresence(1 / 0.0));
    assertRefused("window (0)", () -> Penalties.NONE.withWindow(0));
    assertRefused("noRepeatNgram (-1)", () -> Penalties.NONE.withNoRepeatNgram(-1));
    assertRefused("multiplier (-1.0)", () -> Dry.NONE.withMultiplier(-1));
    assertRefused("base (0.9)", () -> Dry.NONE.withBase(0.9));
    assertRefused("allowedLength (0)", () -> Dry.NONE.withAllowedLength(0));
    assertRefused("window (0)", () -> Dry.NONE.withWindow(0));
    assertRefused("breakers", () -> Dry.NONE.withBreakers(Set.of("")));
    assertRefused("probability (1.1)", () -> new Xtc(1.1, 0.1));
    assertRefused("threshold (0.6)", () -> new Xtc(0.5, 0.6));
    assertRefused("logitBias of id (-1)", () -> config.withLogitBias(Map.of(-1, 1.0)));
    assertRefused("logitBias (NaN)", () -> config.withLogitBias(Map.of(1, Double.NaN)));
    assertRefused("alternatives (-1)", () -> config.withAlternatives(-1));
    assertRefused("deadline (PT0S)", () -> config.withDeadline(Duration.ZERO));
    assertRefused("stop string ()", () -> config.withStopStrings(""));
    assertRefused("stop string", () -> config.withStopStrings("\uD83D"));
    assertRefused("logitBias of id (5)", () -> new Sampler(biased(), 5, 0));
  }

  private GenerationConfig biased() {
    return config.withLogitBias(Map.of(5, 1.0));
  }

  @Test
  void temperatureZero_agreesWithNothingThatExcludesTheLikeliest() {
    GenerationConfig greedy = GenerationConfig.greedy();
    assertRefused("temperature (0.0)", () -> greedy.withXtc(new Xtc(0.5, 0.1)));
    assertRefused(
        "temperature (0.0)", () -> greedy.withTruncation(Truncation.NONE.withTypicalP(0.5)));
  }
}
