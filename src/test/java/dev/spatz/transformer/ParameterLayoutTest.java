package dev.spatz.transformer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;

class ParameterLayoutTest {
  /** Sizes that are not multiples of the alignment. */
  static Stream<TransformerConfig> configs() {
    TransformerConfig gpt2 = TransformerConfig.gpt2(13, 7, 2, 3, 15);
    TransformerConfig llama =
        TransformerConfig.llama(13, 7, 2, 3, 18).withHeadSize(4).withKeyValueHeads(1);
    TransformerConfig qwen2 =
        TransformerConfig.qwen2(13, 7, 2, 3, 18).withHeadSize(4).withKeyValueHeads(1);
    TransformerConfig qwen3 =
        TransformerConfig.qwen3(13, 7, 2, 3, 18).withHeadSize(4).withKeyValueHeads(1);
    return Stream.of(
        qwen2,
        qwen3,
        qwen3.withBiases(Biases.ATTENTION),
        llama.withBiases(Biases.FEED_FORWARD),
        gpt2,
        gpt2.withBiases(false),
        gpt2.withTiedEmbeddings(false),
        llama,
        llama.withBiases(true),
        llama.withTiedEmbeddings(false));
  }

  @ParameterizedTest
  @MethodSource("configs")
  void parameters_lieAfterEachOther_alignedTo64BytesOfFloat32(TransformerConfig config) {
    ParameterLayout layout = ParameterLayout.of(config);
    long end = 0;
    for (Parameter parameter : layout.parameters()) {
      assertEquals(0, parameter.offset() % 16, parameter::name);
      assertTrue(parameter.offset() >= end && parameter.offset() < end + 16, parameter::name);
      end = parameter.offset() + parameter.size();
    }
    assertTrue(layout.elements() >= end && layout.elements() < end + 16);
  }

  @ParameterizedTest
  @MethodSource("configs")
  void matrices_lieBeforeAllVectors(TransformerConfig config) {
    ParameterLayout layout = ParameterLayout.of(config);
    for (Parameter parameter : layout.parameters()) {
      assertEquals(parameter.matrix(), parameter.offset() < layout.matrixElements());
      assertTrue(
          !parameter.matrix() || parameter.offset() + parameter.size() <= layout.matrixElements());
    }
  }

  @ParameterizedTest
  @MethodSource("configs")
  void names_areUnique(TransformerConfig config) {
    List<String> names = names(config);
    assertEquals(names.size(), names.stream().distinct().count());
  }

  @Test
  void parameters_ofGpt2() {
    assertEquals(
        List.of(
            "tokens (13, 15)",
            "positions (7, 15)",
            "layers.0.attention.qkv.weight (45, 15)",
            "layers.0.attention.projection.weight (15, 15)",
            "layers.0.feedforward.up.weight (60, 15)",
            "layers.0.feedforward.down.weight (15, 60)",
            "layers.0.attention.norm.gain (15)",
            "layers.0.attention.norm.bias (15)",
            "layers.0.feedforward.norm.gain (15)",
            "layers.0.feedforward.norm.bias (15)",
            "layers.0.attention.qkv.bias (45)",
            "layers.0.attention.projection.bias (15)",
            "layers.0.feedforward.up.bias (60)",
            "layers.0.feedforward.down.bias (15)",
            "norm.gain (15)",
            "norm.bias (15)"),
        described(TransformerConfig.gpt2(13, 7, 1, 3, 15)));
  }

  @Test
  void parameters_ofLlama_groupedUntied() {
    TransformerConfig config =
        TransformerConfig.llama(13, 7, 1, 3, 18)
            .withHeadSize(4)
            .withKeyValueHeads(1)
            .withFeedForward(20)
            .withTiedEmbeddings(false);
    assertEquals(
        List.of(
            "tokens (13, 18)",
            "layers.0.attention.qkv.weight (20, 18)",
            "layers.0.attention.projection.weight (18, 12)",
            "layers.0.feedforward.up.weight (40, 18)",
            "layers.0.feedforward.down.weight (18, 20)",
            "head (13, 18)",
            "layers.0.attention.norm.gain (18)",
            "layers.0.feedforward.norm.gain (18)",
            "norm.gain (18)"),
        described(config));
  }

  @Test
  void parameters_ofQwen2() {
    assertEquals(
        List.of(
            "tokens (13, 18)",
            "layers.0.attention.qkv.weight (54, 18)",
            "layers.0.attention.projection.weight (18, 18)",
            "layers.0.feedforward.up.weight (128, 18)",
            "layers.0.feedforward.down.weight (18, 64)",
            "layers.0.attention.norm.gain (18)",
            "layers.0.feedforward.norm.gain (18)",
            "layers.0.attention.qkv.bias (54)",
            "norm.gain (18)"),
        described(TransformerConfig.qwen2(13, 7, 1, 3, 18)));
  }

  @Test
  void parameters_ofQwen3() {
    assertEquals(
        List.of(
            "tokens (13, 18)",
            "layers.0.attention.qkv.weight (20, 18)",
            "layers.0.attention.projection.weight (18, 12)",
            "layers.0.feedforward.up.weight (128, 18)",
            "layers.0.feedforward.down.weight (18, 64)",
            "layers.0.attention.norm.gain (18)",
            "layers.0.feedforward.norm.gain (18)",
            "layers.0.attention.querynorm.gain (4)",
            "layers.0.attention.keynorm.gain (4)",
            "norm.gain (18)"),
        described(TransformerConfig.qwen3(13, 7, 1, 3, 18).withHeadSize(4).withKeyValueHeads(1)));
  }

  /** Published: 494,032,768 parameters of {@code Qwen/Qwen2-0.5B}, the tied head once. */
  @Test
  void parameterCount_ofQwen2HalfBillion() {
    assertEquals(
        494_032_768,
        TransformerConfig.qwen2(151_936, 32_768, 24, 14, 896)
            .withKeyValueHeads(2)
            .withFeedForward(4_864)
            .parameterCount());
  }

  /** Published: 596,049,920 parameters of {@code Qwen/Qwen3-0.6B}, the tied head once. */
  @Test
  void parameterCount_ofQwen3() {
    assertEquals(
        596_049_920,
        TransformerConfig.qwen3(151_936, 40_960, 28, 16, 1_024)
            .withKeyValueHeads(8)
            .withHeadSize(128)
            .withFeedForward(3_072)
            .parameterCount());
  }

  /** Published: 124,439,808 parameters of {@code openai-community/gpt2}, the tied head once. */
  @Test
  void parameterCount_ofGpt2Small() {
    assertEquals(124_439_808, TransformerConfig.gpt2(50_257, 1_024, 12, 12, 768).parameterCount());
  }

  /** By hand: embeddings, four layers of 12·128² and two gains, the last gain. */
  @Test
  void parameterCount_ofNanoGptsCpuConfiguration() {
    assertEquals(
        65 * 128 + 64 * 128 + 4 * (12 * 128 * 128 + 2 * 128) + 128,
        TransformerConfig.gpt2(65, 64, 4, 4, 128).withBiases(false).parameterCount());
  }

  /** Published: 1,100,048,384 parameters of TinyLlama 1.1B, grouped and untied. */
  @Test
  void parameterCount_ofTinyLlama() {
    assertEquals(
        1_100_048_384L,
        TransformerConfig.llama(32_000, 2_048, 22, 32, 2_048)
            .withKeyValueHeads(4)
            .withFeedForward(5_632)
            .withTiedEmbeddings(false)
            .parameterCount());
  }

  /** 2³¹ elements are more than an {@code int} counts. */
  @Test
  void layout_ofMoreThanTwoBillionParameters_doesNotOverflow() {
    ParameterLayout layout =
        ParameterLayout.of(TransformerConfig.llama(50_000, 1_024, 1, 400, 51_200));
    assertEquals(50_000L * 51_200, layout.parameters().get(1).offset());
    assertEquals(3 * 51_200L * 51_200, layout.parameters().get(1).size());
  }

  @ParameterizedTest
  @MethodSource("configs")
  void set_hasAViewOfEachParameter(TransformerConfig config) {
    try (ParameterSet set = ParameterSet.zeros(ParameterLayout.of(config), DataType.FLOAT)) {
      assertEquals(4 * set.layout().elements(), set.bytes());
      for (Parameter parameter : set.layout().parameters()) {
        assertArrayEquals(parameter.shape(), set.get(parameter.name()).shape());
      }
    }
  }

  @Test
  void set_refusesANameThatItHasNot() {
    ParameterLayout layout = ParameterLayout.of(TransformerConfig.gpt2(13, 7, 1, 3, 15));
    try (ParameterSet set = ParameterSet.zeros(layout, DataType.FLOAT)) {
      IllegalArgumentException refusal =
          assertThrows(IllegalArgumentException.class, () -> set.get("layers.1.norm"));
      assertEquals("no parameter is named layers.1.norm", refusal.getMessage());
    }
  }

  private static List<String> names(TransformerConfig config) {
    return ParameterLayout.of(config).parameters().stream().map(Parameter::name).toList();
  }

  private static List<String> described(TransformerConfig config) {
    return ParameterLayout.of(config).parameters().stream()
        .map(
            parameter ->
                parameter.name()
                    + (parameter.matrix()
                        ? " (%d, %d)".formatted(parameter.rows(), parameter.columns())
                        : " (%d)".formatted(parameter.rows())))
        .toList();
  }
}
