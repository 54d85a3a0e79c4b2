package dev.spatz.generation;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
}
