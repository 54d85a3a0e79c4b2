package dev.spatz.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.kernel.Gelu;
import dev.spatz.transformer.Architecture;
import dev.spatz.transformer.Biases;
import dev.spatz.transformer.RopeScaling;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Keys and defaults are those of GPT2Config and LlamaConfig in Hugging Face's transformers. */
class ConfigFileTest {
  @TempDir Path directory;

  static Stream<TransformerConfig> shapes() {
    return Stream.of(
        Examples.gpt2(),
        Examples.gpt2().withGelu(Gelu.TANH).withDropout(0.2).withNormEpsilon(1e-6),
        Examples.gpt2().withBiases(false).withFeedForward(5),
        Examples.gpt2().withTiedEmbeddings(false),
        Examples.llama(),
        Examples.llama().withBiases(true).withDropout(0.1).withHeadSize(6),
        Examples.llama().withTiedEmbeddings(false).withRopeTheta(500_000),
        Examples.llama().withBiases(Biases.ATTENTION).withRopeScaling(new RopeScaling.Linear(2.5)),
        Examples.llama()
            .withBiases(Biases.FEED_FORWARD)
            .withRopeScaling(new RopeScaling.Llama3(8, 1, 4, 8192)),
        Examples.qwen2(),
        Examples.qwen2().withHeadSize(6).withTiedEmbeddings(false).withDropout(0.1),
        Examples.qwen3(),
        Examples.qwen3().withBiases(Biases.ATTENTION).withRopeScaling(new RopeScaling.Linear(4)));
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void shape_writtenAndRead_isEqual(TransformerConfig shape) throws IOException {
    ConfigFile.write(directory, shape, Examples.CHARACTERS, Examples.PROVENANCE);
    ConfigFile config = ConfigFile.read(directory);
    assertEquals(shape, config.shape());
    assertEquals(Examples.PROVENANCE, config.provenance());
  }

  @Test
  void gpt2_withoutKeys_hasTheDefaults() throws IOException {
    write("{\"model_type\":\"gpt2\"}");
    ConfigFile config = ConfigFile.read(directory);
    assertEquals(
        TransformerConfig.gpt2(50_257, 1024, 12, 12, 768).withDropout(0.1), config.shape());
    assertNull(config.provenance());
  }

  @Test
  void gpt2_withOtherSpellings_isRead() throws IOException {
    write(
        """
        {"model_type":"gpt2", "vocab_size":11, "max_position_embeddings":5, "hidden_size":6,
         "num_attention_heads":2, "num_hidden_layers":3, "activation_function":"gelu_pytorch_tanh",
         "resid_pdrop":0, "embd_pdrop":0.0, "attn_pdrop":0, "n_inner":null}""");
    assertEquals(TransformerConfig.gpt2(11, 5, 3, 2, 6), ConfigFile.read(directory).shape());
  }

  @Test
  void llama_withoutKeys_hasTheDefaults() throws IOException {
    write("{\"model_type\":\"llama\"}");
    TransformerConfig shape = ConfigFile.read(directory).shape();
    assertEquals(
        new TransformerConfig(
            Architecture.LLAMA,
            32_000,
            2048,
            32,
            4096,
            32,
            32,
            128,
            11_008,
            Biases.NONE,
            false,
            Gelu.TANH,
            1e-6,
            10_000,
            RopeScaling.NONE,
            0),
        shape);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"rope_theta\":5e5",
        "\"rope_theta\":500000.0, \"rope_scaling\":null",
        "\"rope_theta\":500000, \"rope_scaling\":{\"type\":\"default\"}",
        "\"rope_parameters\":{\"rope_type\":\"default\", \"rope_theta\":500000.0}",
        "\"rope_theta\":5e5, \"rope_parameters\":{\"rope_theta\":500000.0}"
      })
  void llama_ropeThetaOfAnyGeneration_isRead(String keys) throws IOException {
    write("{\"model_type\":\"llama\", " + keys + "}");
    assertEquals(500_000, ConfigFile.read(directory).shape().ropeTheta());
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '§',
      delimiter = '|',
      value = {
        "qwen2|QWEN2|151936|22016|32768|32|128|QKV",
        "qwen3|QWEN3|151936|22016|32768|32|128|NONE",
        "mistral|LLAMA|32000|14336|131072|8|128|NONE"
      })
  void kinOfLlama_withoutKeys_hasTheDefaults(
      String type,
      Architecture architecture,
      int vocabularySize,
      int feedForward,
      int positions,
      int keyValueHeads,
      int headSize,
      Biases biases)
      throws IOException {
    write("{\"model_type\":\"%s\", \"sliding_window\":null}".formatted(type));
    assertEquals(
        new TransformerConfig(
            architecture,
            vocabularySize,
            positions,
            32,
            4096,
            32,
            keyValueHeads,
            headSize,
            feedForward,
            biases,
            false,
            Gelu.TANH,
            1e-6,
            10_000,
            RopeScaling.NONE,
            0),
        ConfigFile.read(directory).shape());
  }

  /** A window changes nothing where no position is farther back than it reaches. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"model_type\":\"llama\", \"sliding_window\":2048",
        "\"model_type\":\"mistral\", \"max_position_embeddings\":4096",
        "\"model_type\":\"mistral\", \"max_position_embeddings\":64, \"sliding_window\":64",
        "\"model_type\":\"mistral\", \"sliding_window\":null",
        "\"model_type\":\"qwen2\", \"use_sliding_window\":false, \"sliding_window\":64",
        "\"model_type\":\"qwen2\", \"use_sliding_window\":true, \"sliding_window\":64,"
            + " \"max_window_layers\":32",
        "\"model_type\":\"qwen3\", \"sliding_window\":null, \"layer_types\":[\"full_attention\"]"
      })
  void slidingWindow_thatReachesTheWholeContext_isPassedOver(String keys) throws IOException {
    write("{" + keys + "}");
    ConfigFile.read(directory);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"rope_scaling\":{\"type\":\"linear\", \"factor\":4}",
        "\"rope_scaling\":{\"rope_type\":\"linear\", \"factor\":4.0}",
        "\"rope_scaling\":{\"type\":\"linear\", \"rope_type\":\"linear\", \"factor\":4}",
        "\"rope_parameters\":{\"rope_type\":\"linear\", \"factor\":4, \"rope_theta\":10000}"
      })
  void linearRope_ofAnyGeneration_isRead(String keys) throws IOException {
    write("{\"model_type\":\"llama\", " + keys + "}");
    TransformerConfig shape = ConfigFile.read(directory).shape();
    assertEquals(new RopeScaling.Linear(4), shape.ropeScaling());
    assertEquals(10_000, shape.ropeTheta());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"rope_theta\":500000.0, \"rope_scaling\":{\"rope_type\":\"llama3\",",
        "\"rope_parameters\":{\"rope_theta\":500000.0, \"rope_type\":\"llama3\","
      })
  void llama3Rope_ofAnyGeneration_isRead(String keys) throws IOException {
    write(
        "{\"model_type\":\"llama\", "
            + keys
            + "\"factor\":32.0, \"high_freq_factor\":4.0, \"low_freq_factor\":1.0,"
            + " \"original_max_position_embeddings\":8192}}");
    TransformerConfig shape = ConfigFile.read(directory).shape();
    assertEquals(new RopeScaling.Llama3(32, 1, 4, 8192), shape.ropeScaling());
    assertEquals(500_000, shape.ropeTheta());
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '§',
      delimiter = '|',
      value = {
        "\"model_type\":\"gpt_neox\"|model_type is \"gpt_neox\"",
        "\"model_type\":\"openai-gpt\"|model_type is \"openai-gpt\"",
        "\"model_type\":\"qwen3_moe\"|model_type is \"qwen3_moe\"",
        "\"a\":1|model_type is absent",
        "\"model_type\":7|model_type is 7",
        "\"model_type\":\"gpt2\",\"activation_function\":\"relu\"|activation_function is \"relu\"",
        "\"model_type\":\"gpt2\",\"scale_attn_weights\":false|scale_attn_weights is false",
        "\"model_type\":\"gpt2\",\"scale_attn_by_inverse_layer_idx\":true|layer_idx is true",
        "\"model_type\":\"gpt2\",\"add_cross_attention\":true|add_cross_attention is true",
        "\"model_type\":\"gpt2\",\"attn_pdrop\":0.2|attn_pdrop is 0.2",
        "\"model_type\":\"gpt2\",\"n_positions\":8,\"n_ctx\":9|n_ctx is 9",
        "\"model_type\":\"gpt2\",\"n_head\":5|n_head is 5",
        "\"model_type\":\"gpt2\",\"n_head\":0|n_head is 0",
        "\"model_type\":\"gpt2\",\"n_layer\":0|layers (0) must be positive",
        "\"model_type\":\"gpt2\",\"n_layer\":1.5|n_layer is 1.5",
        "\"model_type\":\"gpt2\",\"n_layer\":2147483648|n_layer is 2147483648",
        "\"model_type\":\"gpt2\",\"n_embd\":1200000000|invalid",
        "\"model_type\":\"gpt2\",\"layer_norm_epsilon\":\"x\"|layer_norm_epsilon is \"x\"",
        "\"model_type\":\"gpt2\",\"tie_word_embeddings\":1|tie_word_embeddings is 1",
        "\"model_type\":\"gpt2\",\"quantization_config\":{}|quantization_config is {}",
        "\"model_type\":\"gpt2\",\"spatz\":{\"format\":2}|spatz.format is 2",
        "\"model_type\":\"gpt2\",\"spatz\":1|spatz is 1",
        "\"model_type\":\"gpt2\",\"spatz\":{\"provenance\":{}}|spatz.provenance.configuration is absent",
        "\"model_type\":\"llama\",\"hidden_act\":\"gelu\"|hidden_act is \"gelu\"",
        "\"model_type\":\"llama\",\"attention_dropout\":0.1|attention_dropout is 0.1",
        "\"model_type\":\"llama\",\"sliding_window\":2047|sliding_window is 2047; attention within a window",
        "\"model_type\":\"llama\",\"max_position_embeddings\":9,\"sliding_window\":8,\"layer_types\":[\"sliding_attention\"]|lower max_position_embeddings (9) to 8",
        "\"model_type\":\"llama\",\"layer_types\":[\"linear_attention\"]|layer_types is [",
        "\"model_type\":\"mistral\"|sliding_window is absent; attention within a window",
        "\"model_type\":\"mistral\",\"sliding_window\":4096|sliding_window is 4096",
        "\"model_type\":\"mistral\",\"sliding_window\":null,\"attention_bias\":true|attention_bias is true",
        "\"model_type\":\"qwen2\",\"use_sliding_window\":true,\"sliding_window\":99|sliding_window is 99",
        "\"model_type\":\"qwen2\",\"attention_bias\":false|attention_bias is false",
        "\"model_type\":\"qwen2\",\"mlp_bias\":true|mlp_bias is true",
        "\"model_type\":\"qwen2\",\"rope_scaling\":{\"type\":\"mrope\",\"mrope_section\":[16]}|rope_scaling.type is \"mrope\"",
        "\"model_type\":\"qwen3\",\"mlp_bias\":true|mlp_bias is true",
        "\"model_type\":\"qwen3\",\"layer_types\":[\"sliding_attention\"],\"sliding_window\":64|sliding_window is 64",
        "\"model_type\":\"qwen3\",\"head_dim\":0|head_dim is 0",
        "\"model_type\":\"llama\",\"rope_scaling\":{\"rope_type\":\"llama3\"}|rope_scaling.factor is absent",
        "\"model_type\":\"llama\",\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8,\"low_freq_factor\":4,\"high_freq_factor\":1,\"original_max_position_embeddings\":8192}|lowFrequency (4.0) must be positive and below",
        "\"model_type\":\"llama\",\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8,\"low_freq_factor\":1,\"high_freq_factor\":4}|originalContext (0) must be positive",
        "\"model_type\":\"llama\",\"rope_scaling\":{\"type\":\"linear\"}|rope_scaling.factor is absent",
        "\"model_type\":\"llama\",\"rope_scaling\":{\"type\":\"linear\",\"factor\":0.5}|rope_scaling.factor is 0.5",
        "\"model_type\":\"llama\",\"rope_scaling\":{\"type\":\"linear\",\"rope_type\":\"default\"}|rope_scaling.type is \"linear\"",
        "\"model_type\":\"llama\",\"rope_scaling\":{\"type\":\"dynamic\",\"factor\":2}|rope_scaling.type is \"dynamic\"",
        "\"model_type\":\"llama\",\"rope_scaling\":{\"factor\":2}|rope_scaling.factor is 2",
        "\"model_type\":\"llama\",\"rope_scaling\":{\"type\":\"linear\",\"factor\":2},\"rope_parameters\":{\"rope_theta\":1}|rope_scaling is {",
        "\"model_type\":\"llama\",\"rope_parameters\":{\"full_attention\":{\"rope_theta\":1}}|rope_parameters.full_attention is {",
        "\"model_type\":\"llama\",\"rope_parameters\":{\"rope_type\":\"yarn\"}|rope_type is \"yarn\"",
        "\"model_type\":\"llama\",\"rope_theta\":1,\"rope_parameters\":{\"rope_theta\":2}|rope_parameters.rope_theta is 2",
        "\"model_type\":\"llama\",\"partial_rotary_factor\":0.5|partial_rotary_factor is 0.5",
        "\"model_type\":\"llama\",\"num_attention_heads\":5|num_attention_heads is 5",
        "\"model_type\":\"llama\",\"num_key_value_heads\":5|keyValueHeads (5) must divide heads (32)",
        "\"model_type\":\"llama\",\"num_key_value_heads\":0|keyValueHeads (0) must be positive",
        "\"model_type\":\"llama\",\"head_dim\":3|headSize (3) must be even",
        "\"model_type\":\"llama\",\"head_dim\":2000000000|head_dim is 2000000000",
        "\"model_type\":\"llama\",\"intermediate_size\":2000000000|intermediate_size is 2000000000"
      })
  void config_notImplemented_isRefusedByKeyAndValue(String keys, String fault) throws IOException {
    write("{" + keys + "}");
    InvalidFileException e =
        assertThrows(InvalidFileException.class, () -> ConfigFile.read(directory));
    assertTrue(e.getMessage().startsWith(directory.resolve("config.json") + ": "), e.getMessage());
    assertTrue(e.fault().contains(fault), e.fault());
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '§',
      delimiter = '|',
      value = {
        "[]|no JSON object",
        "§§|the file is empty",
        "{|not JSON: Unexpected end-of-input: expected close marker for Object (start marker at line: 1, column: 1)",
        "{}{}|not JSON",
        "{\"a\":1,\"a\":1}|Duplicate field 'a'"
      })
  void config_notAnObject_isRefused(String text, String fault) throws IOException {
    write(text);
    InvalidFileException e =
        assertThrows(InvalidFileException.class, () -> ConfigFile.read(directory));
    assertTrue(e.fault().contains(fault), e.fault());
  }

  @Test
  void config_notUtf8_isRefused() throws IOException {
    Files.write(directory.resolve("config.json"), new byte[] {'{', '"', (byte) 0xFF, '"'});
    InvalidFileException e =
        assertThrows(InvalidFileException.class, () -> ConfigFile.read(directory));
    assertEquals("the file is not UTF-8", e.fault());
  }

  @Test
  void config_ofManyMegabytes_isRefused() throws IOException {
    write("{}" + " ".repeat(1 << 20));
    InvalidFileException e =
        assertThrows(InvalidFileException.class, () -> ConfigFile.read(directory));
    assertTrue(e.fault().contains("at most 1,048,576"), e.fault());
  }

  private void write(String json) throws IOException {
    Files.writeString(directory.resolve("config.json"), json);
  }
}
