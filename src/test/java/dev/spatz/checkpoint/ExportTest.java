package dev.spatz.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.spatz.kernel.Gelu;
import dev.spatz.transformer.Biases;
import dev.spatz.transformer.RopeScaling;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every key, type and tensor that is saved, against what the classes of Hugging Face's transformers
 * declare: a key too many, or a number of another type, makes some of its versions warn.
 */
class ExportTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Of every configuration; nine ids, the last of them ends a text. */
  private static final String COMMON =
      """
      "vocab_size": 9, "initializer_range": 0.02, "use_cache": true, "tie_word_embeddings": true,
      "bos_token_id": 8, "eos_token_id": 8, "torch_dtype": "float32",
      """;

  private static final String LLAMAS =
      """
      "hidden_size": 8, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4,
      "num_key_value_heads": 2, "hidden_act": "silu", "max_position_embeddings": 7,
      "rms_norm_eps": 1.0E-5, "rope_theta": 10000.0, "attention_dropout": 0.0,
      """;

  @TempDir Path parent;
  private Path directory;

  private static TransformerConfig llama() {
    return TransformerConfig.llama(9, 7, 1, 4, 8).withKeyValueHeads(2);
  }

  private static TransformerConfig qwen3() {
    return TransformerConfig.qwen3(9, 7, 1, 4, 8).withKeyValueHeads(2).withHeadSize(6);
  }

  static Stream<Arguments> configurations() {
    return Stream.of(
        Arguments.of(
            TransformerConfig.gpt2(9, 7, 1, 3, 9),
            COMMON
                + """
                "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_positions": 7,
                "n_ctx": 7, "n_embd": 9, "n_layer": 1, "n_head": 3, "n_inner": 36,
                "activation_function": "gelu_new", "resid_pdrop": 0.0, "embd_pdrop": 0.0,
                "attn_pdrop": 0.0, "layer_norm_epsilon": 1.0E-5, "scale_attn_weights": true,
                "scale_attn_by_inverse_layer_idx": false, "reorder_and_upcast_attn": false
                """),
        Arguments.of(
            llama().withBiases(Biases.FEED_FORWARD),
            COMMON
                + LLAMAS
                + """
                "architectures": ["LlamaForCausalLM"], "model_type": "llama", "head_dim": 2,
                "rope_scaling": null, "attention_bias": false, "mlp_bias": true,
                "pretraining_tp": 1
                """),
        Arguments.of(
            llama().withRopeScaling(new RopeScaling.Llama3(8, 1, 4, 5)),
            COMMON
                + LLAMAS
                + """
                "architectures": ["LlamaForCausalLM"], "model_type": "llama", "head_dim": 2,
                "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
                  "high_freq_factor": 4.0, "original_max_position_embeddings": 5},
                "attention_bias": false, "mlp_bias": false, "pretraining_tp": 1
                """),
        Arguments.of(
            TransformerConfig.qwen2(9, 7, 1, 4, 8)
                .withKeyValueHeads(2)
                .withRopeScaling(new RopeScaling.Linear(2)),
            COMMON
                + LLAMAS
                + """
                "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "head_dim": 2,
                "rope_scaling": {"rope_type": "linear", "factor": 2.0},
                "use_sliding_window": false, "sliding_window": null, "max_window_layers": 1
                """),
        Arguments.of(
            qwen3(),
            COMMON
                + LLAMAS
                + """
                "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "head_dim": 6,
                "rope_scaling": null, "attention_bias": false,
                "use_sliding_window": false, "sliding_window": null, "max_window_layers": 1
                """));
  }

  @ParameterizedTest
  @MethodSource("configurations")
  void config_hasTheseKeysAndNoOther(TransformerConfig shape, String expected) throws IOException {
    save(shape);
    ObjectNode config = (ObjectNode) json("config.json");
    assertTrue(config.remove("spatz").isObject());
    assertEquals(JSON.readTree("{" + expected + "}"), config);
  }

  @Test
  void gelu_inItsExactForm_isNamed() throws IOException {
    save(TransformerConfig.gpt2(9, 7, 1, 3, 9).withGelu(Gelu.EXACT));
    assertEquals("gelu", json("config.json").get("activation_function").textValue());
  }

  static Stream<Arguments> tensors() {
    List<String> llama =
        List.of(
            "model.embed_tokens.weight [9, 8]",
            "model.layers.0.input_layernorm.weight [8]",
            "model.layers.0.mlp.down_proj.weight [8, 32]",
            "model.layers.0.mlp.gate_proj.weight [32, 8]",
            "model.layers.0.mlp.up_proj.weight [32, 8]",
            "model.layers.0.post_attention_layernorm.weight [8]",
            "model.layers.0.self_attn.k_proj.weight [4, 8]",
            "model.layers.0.self_attn.o_proj.weight [8, 8]",
            "model.layers.0.self_attn.q_proj.weight [8, 8]",
            "model.layers.0.self_attn.v_proj.weight [4, 8]",
            "model.norm.weight [8]");
    return Stream.of(
        Arguments.of(
            TransformerConfig.gpt2(9, 7, 1, 3, 9),
            List.of(
                "transformer.h.0.attn.c_attn.bias [27]",
                "transformer.h.0.attn.c_attn.weight [9, 27]",
                "transformer.h.0.attn.c_proj.bias [9]",
                "transformer.h.0.attn.c_proj.weight [9, 9]",
                "transformer.h.0.ln_1.bias [9]",
                "transformer.h.0.ln_1.weight [9]",
                "transformer.h.0.ln_2.bias [9]",
                "transformer.h.0.ln_2.weight [9]",
                "transformer.h.0.mlp.c_fc.bias [36]",
                "transformer.h.0.mlp.c_fc.weight [9, 36]",
                "transformer.h.0.mlp.c_proj.bias [9]",
                "transformer.h.0.mlp.c_proj.weight [36, 9]",
                "transformer.ln_f.bias [9]",
                "transformer.ln_f.weight [9]",
                "transformer.wpe.weight [7, 9]",
                "transformer.wte.weight [9, 9]")),
        Arguments.of(llama(), llama),
        Arguments.of(llama().withTiedEmbeddings(false), with(llama, "lm_head.weight [9, 8]")),
        Arguments.of(
            llama().withBiases(true),
            with(
                llama,
                "model.layers.0.mlp.down_proj.bias [8]",
                "model.layers.0.mlp.gate_proj.bias [32]",
                "model.layers.0.mlp.up_proj.bias [32]",
                "model.layers.0.self_attn.k_proj.bias [4]",
                "model.layers.0.self_attn.o_proj.bias [8]",
                "model.layers.0.self_attn.q_proj.bias [8]",
                "model.layers.0.self_attn.v_proj.bias [4]")),
        Arguments.of(
            TransformerConfig.qwen2(9, 7, 1, 4, 8).withKeyValueHeads(2),
            with(
                llama,
                "model.layers.0.self_attn.k_proj.bias [4]",
                "model.layers.0.self_attn.q_proj.bias [8]",
                "model.layers.0.self_attn.v_proj.bias [4]")),
        Arguments.of(
            qwen3().withHeadSize(2),
            with(
                llama,
                "model.layers.0.self_attn.k_norm.weight [2]",
                "model.layers.0.self_attn.q_norm.weight [2]")));
  }

  private static List<String> with(List<String> names, String... others) {
    List<String> all = new ArrayList<>(names);
    all.addAll(List.of(others));
    return all.stream().sorted().toList();
  }

  /** The canonical order: of one type by name, which is that of the lists above. */
  @ParameterizedTest
  @MethodSource("tensors")
  void weights_haveTheseTensorsInThisOrder(TransformerConfig shape, List<String> expected)
      throws IOException {
    save(shape);
    Path weights = directory.resolve("model.safetensors");
    List<String> actual = new ArrayList<>();
    try (SafetensorsFile file = SafetensorsFile.open(weights)) {
      for (String name : file.names()) {
        TensorInfo tensor = Objects.requireNonNull(file.find(name));
        assertEquals(TensorType.F32, tensor.type());
        actual.add(name + " " + tensor.shape());
      }
    }
    assertEquals(expected, actual);
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(weights));
    int length = (int) bytes.order(ByteOrder.LITTLE_ENDIAN).getLong(0);
    assertEquals(0, length % 8);
    String header = new String(bytes.array(), Long.BYTES, length, StandardCharsets.UTF_8);
    assertTrue(header.startsWith("{\"__metadata__\":{\"format\":\"pt\"},\""), header);
  }

  @Test
  void otherFiles_haveTheseKeysAndNoOther() throws IOException {
    save(llama());
    assertEquals(
        JSON.readTree(
            """
            {"bos_token_id": 8, "eos_token_id": 8, "pad_token_id": 8, "max_new_tokens": 128,
             "do_sample": true, "temperature": 0.8, "top_k": 0, "top_p": 0.95}
            """),
        json("generation_config.json"));
    String end = json("tokenizer.json").at("/added_tokens/0/content").textValue();
    ObjectNode expected = JSON.createObjectNode();
    expected
        .putObject("added_tokens_decoder")
        .putObject("8")
        .put("content", end)
        .put("single_word", false)
        .put("lstrip", false)
        .put("rstrip", false)
        .put("normalized", false)
        .put("special", true);
    expected
        .put("bos_token", end)
        .put("eos_token", end)
        .put("pad_token", end)
        .put("model_max_length", 7)
        .put("clean_up_tokenization_spaces", false)
        .put("tokenizer_class", "PreTrainedTokenizerFast");
    assertEquals(expected, json("tokenizer_config.json"));
  }

  private void save(TransformerConfig shape) throws IOException {
    directory = parent.resolve("model");
    Examples.save(directory, shape);
  }

  private JsonNode json(String name) throws IOException {
    return JSON.readTree(directory.resolve(name).toFile());
  }
}
