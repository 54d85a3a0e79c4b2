package dev.spatz.transformer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.spatz.kernel.Gelu;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class TransformerConfigTest {
  private static final TransformerConfig GPT2 = TransformerConfig.gpt2(50, 32, 2, 3, 48);
  private static final TransformerConfig LLAMA = TransformerConfig.llama(50, 32, 2, 4, 48);

  @Test
  void gpt2_isTheOriginalsShape() {
    assertEquals(
        new TransformerConfig(
            Architecture.GPT2,
            50,
            32,
            2,
            48,
            3,
            3,
            16,
            192,
            Biases.ALL,
            true,
            Gelu.TANH,
            1e-5,
            10_000,
            RopeScaling.NONE,
            0),
        GPT2);
  }

  @Test
  void llama_isTheOriginalsShape_withTiedEmbeddings() {
    assertEquals(
        new TransformerConfig(
            Architecture.LLAMA,
            50,
            32,
            2,
            48,
            4,
            4,
            12,
            128,
            Biases.NONE,
            true,
            Gelu.TANH,
            1e-5,
            10_000,
            RopeScaling.NONE,
            0),
        LLAMA);
  }

  @Test
  void with_changesOneValueAndKeepsTheOthers() {
    assertEquals(
        new TransformerConfig(
            Architecture.LLAMA,
            51,
            33,
            2,
            48,
            4,
            2,
            10,
            99,
            Biases.ALL,
            false,
            Gelu.EXACT,
            1e-6,
            500,
            new RopeScaling.Linear(2),
            0.1),
        LLAMA
            .withVocabularySize(51)
            .withContextLength(33)
            .withKeyValueHeads(2)
            .withHeadSize(10)
            .withFeedForward(99)
            .withBiases(true)
            .withTiedEmbeddings(false)
            .withGelu(Gelu.EXACT)
            .withNormEpsilon(1e-6)
            .withRopeTheta(500)
            .withRopeScaling(new RopeScaling.Linear(2))
            .withDropout(0.1));
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        refusal("vocabularySize (0) must be positive", () -> GPT2.withVocabularySize(0)),
        refusal("contextLength (-1) must be positive", () -> GPT2.withContextLength(-1)),
        refusal("layers (0) must be positive", () -> TransformerConfig.gpt2(50, 32, 0, 3, 48)),
        refusal("channels (0) must be positive", () -> TransformerConfig.llama(50, 32, 2, 4, 0)),
        refusal("heads (0) must be positive", () -> TransformerConfig.gpt2(50, 32, 2, 0, 48)),
        refusal("keyValueHeads (0) must be positive", () -> LLAMA.withKeyValueHeads(0)),
        refusal("headSize (0) must be positive", () -> LLAMA.withHeadSize(0)),
        refusal("feedForward (0) must be positive", () -> LLAMA.withFeedForward(0)),
        refusal(
            "heads (5) must divide channels (48)", () -> TransformerConfig.gpt2(50, 32, 2, 5, 48)),
        refusal(
            "heads (5) must divide channels (48)", () -> TransformerConfig.llama(50, 32, 2, 5, 48)),
        refusal("keyValueHeads (3) must divide heads (4)", () -> LLAMA.withKeyValueHeads(3)),
        refusal(
            "gpt2 needs keyValueHeads (1) = heads (3) and heads · headSize (16) = channels (48)",
            () -> GPT2.withKeyValueHeads(1)),
        refusal(
            "gpt2 needs keyValueHeads (3) = heads (3) and heads · headSize (8) = channels (48)",
            () -> GPT2.withHeadSize(8)),
        refusal("headSize (11) must be even for rotary positions", () -> LLAMA.withHeadSize(11)),
        refusal(
            "headSize (11) must be even for rotary positions",
            () -> TransformerConfig.qwen3(50, 32, 2, 4, 48).withHeadSize(11)),
        refusal("biases (QKV) of gpt2 must be NONE or ALL", () -> GPT2.withBiases(Biases.QKV)),
        refusal(
            "biases (QKV) of llama must be NONE or ATTENTION or FEED_FORWARD or ALL",
            () -> LLAMA.withBiases(Biases.QKV)),
        refusal(
            "biases (NONE) of qwen2 must be QKV",
            () -> TransformerConfig.qwen2(50, 32, 2, 4, 48).withBiases(false)),
        refusal(
            "biases (ALL) of qwen3 must be NONE or ATTENTION",
            () -> TransformerConfig.qwen3(50, 32, 2, 4, 48).withBiases(true)));
  }

  @ParameterizedTest
  @MethodSource("refusals")
  void config_refusesSizesThatDoNotFit(String message, Supplier<TransformerConfig> config) {
    requireRefusal(message, config);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, -1e-5, Double.NaN, Double.POSITIVE_INFINITY})
  void config_refusesANormEpsilonThatIsNotPositive(double value) {
    requireRefusal(
        "normEpsilon (" + value + ") must be positive", () -> GPT2.withNormEpsilon(value));
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, -1, Double.NaN, Double.POSITIVE_INFINITY})
  void config_refusesARopeThetaThatIsNotPositive(double value) {
    requireRefusal("ropeTheta (" + value + ") must be positive", () -> GPT2.withRopeTheta(value));
  }

  @ParameterizedTest
  @ValueSource(doubles = {-0.1, 1, Double.NaN})
  void config_refusesADropoutThatIsNotAProbabilityBelowOne(double value) {
    requireRefusal(
        "dropout (" + value + ") must be at least 0 and below 1", () -> GPT2.withDropout(value));
  }

  private static void requireRefusal(String message, Supplier<TransformerConfig> config) {
    IllegalArgumentException refusal = assertThrows(IllegalArgumentException.class, config::get);
    assertEquals(message, refusal.getMessage());
  }

  private static Arguments refusal(String message, Supplier<TransformerConfig> config) {
    return arguments(message, config);
  }
}
