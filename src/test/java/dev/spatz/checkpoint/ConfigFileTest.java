package dev.spatz.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.kernel.Gelu;
import dev.spatz.transformer.Architecture;
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
        Examples.llama().withTiedEmbeddings(false).withRopeTheta(500_000));
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
            false,
            false,
            Gelu.TANH,
            1e-6,
            10_000,
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
        "\"model_type\":\"qwen2\"|model_type is \"qwen2\"",
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
        "\"model_type\":\"llama\",\"attention_bias\":true|mlp_bias is absent",
        "\"model_type\":\"llama\",\"attention_dropout\":0.1|attention_dropout is 0.1",
        "\"model_type\":\"llama\",\"sliding_window\":4096|sliding_window is 4096",
        "\"model_type\":\"llama\",\"use_sliding_window\":true|use_sliding_window is true",
        "\"model_type\":\"llama\",\"layer_types\":[\"sliding_attention\"]|layer_types is [",
        "\"model_type\":\"llama\",\"rope_scaling\":{\"rope_type\":\"llama3\"}|rope_type is \"llama3\"",
        "\"model_type\":\"llama\",\"rope_scaling\":{\"type\":\"linear\"}|rope_scaling.type is \"linear\"",
        "\"model_type\":\"llama\",\"rope_parameters\":{\"rope_type\":\"yarn\"}|rope_type is \"yarn\"",
        "\"model_type\":\"llama\",\"rope_theta\":1,\"rope_parameters\":{\"rope_theta\":2}|rope_theta is 1",
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
        "§§|no JSON object",
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
