package dev.spatz.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.spatz.kernel.Tensors;
import dev.spatz.transformer.LoraAdapter;
import dev.spatz.transformer.LoraConfig;
import dev.spatz.transformer.LoraModule;
import dev.spatz.transformer.LoraTarget;
import dev.spatz.transformer.ParameterLayout;
import dev.spatz.transformer.ParameterSet;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;

/** Adapters in PEFT's layout, as its documentation and source describe it. */
class AdapterDirectoryTest {
  private static final LoraConfig LORA =
      LoraConfig.defaults().withRank(3).withAlpha(6).withDropout(0.05);

  @TempDir Path parent;

  private static LoraAdapter random(TransformerConfig model, LoraConfig lora) {
    List<LoraModule> modules = lora.modules(model);
    try (ParameterSet set =
        ParameterSet.zeros(ParameterLayout.of(modules, lora.rank()), DataType.FLOAT)) {
      Random random = new Random(1);
      float[] values = new float[(int) set.layout().elements()];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) random.nextGaussian();
      }
      Tensors.write(set.flat(), 0, values, 0, values.length);
      return LoraAdapter.of(lora, modules, set, Map.of("data bytes", "12", "seed", "7"));
    }
  }

  static Stream<TransformerConfig> models() {
    return Stream.of(Examples.llama(), Examples.gpt2(), Examples.qwen2(), Examples.qwen3());
  }

  @ParameterizedTest
  @MethodSource("models")
  void savedAdapter_isLoadedAsItWas_andSavedAgain(TransformerConfig model) throws IOException {
    for (LoraConfig lora :
        List.of(
            LORA,
            LORA.withTargets(LoraTarget.OUTPUT).withRankStabilized(true),
            LORA.withTargets(LoraTarget.DOWN, LoraTarget.UP).withAlpha(0.5))) {
      LoraAdapter adapter = random(model, lora);
      Path directory = parent.resolve("adapter");
      AdapterDirectory.save(directory, adapter, model);
      LoraAdapter again = AdapterDirectory.load(directory, model);
      assertEquals(adapter.modules(), again.modules());
      assertEquals(lora.scale(), again.config().scale());
      assertEquals(lora.dropout(), again.config().dropout());
      assertEquals(adapter.origin(), again.origin());
      assertEquals(adapter.parameterCount(), again.parameterCount());
      for (LoraModule module : adapter.modules()) {
        assertArrayEquals(adapter.a(module), again.a(module));
        assertArrayEquals(adapter.b(module), again.b(module));
      }
      assertTrue(Files.readString(directory.resolve("README.md")).contains("| Rank | 3 |"));
    }
  }

  static Stream<Arguments> layouts() {
    // Names and shapes of PEFT; qwen3's heads are wider than its channels.
    return Stream.of(
        Arguments.of(
            Examples.qwen3(),
            false,
            Set.of("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"),
            Map.of(
                "base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight", List.of(3L, 8L),
                "base_model.model.model.layers.1.self_attn.q_proj.lora_B.weight", List.of(24L, 3L),
                "base_model.model.model.layers.0.self_attn.v_proj.lora_B.weight", List.of(12L, 3L),
                "base_model.model.model.layers.0.self_attn.o_proj.lora_A.weight", List.of(3L, 24L),
                "base_model.model.model.layers.0.mlp.down_proj.lora_A.weight", List.of(3L, 11L),
                "base_model.model.model.layers.0.mlp.down_proj.lora_B.weight", List.of(8L, 3L))),
        Arguments.of(
            Examples.gpt2(),
            true,
            Set.of("c_attn", "c_proj", "c_fc"),
            Map.of(
                "base_model.model.transformer.h.0.attn.c_attn.lora_A.weight", List.of(3L, 9L),
                "base_model.model.transformer.h.1.attn.c_attn.lora_B.weight", List.of(27L, 3L),
                "base_model.model.transformer.h.0.attn.c_proj.lora_A.weight", List.of(3L, 9L),
                "base_model.model.transformer.h.0.mlp.c_fc.lora_B.weight", List.of(36L, 3L),
                "base_model.model.transformer.h.0.mlp.c_proj.lora_A.weight", List.of(3L, 36L))));
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void savedAdapter_hasTheNamesAndShapesOfPeft(
      TransformerConfig model, boolean conv1d, Set<String> targets, Map<String, List<Long>> tensors)
      throws IOException {
    Path directory = parent.resolve("adapter");
    AdapterDirectory.save(directory, random(model, LORA), model);
    JsonNode json = new JsonMapper().readTree(directory.resolve("adapter_config.json").toFile());
    assertEquals("LORA", json.get("peft_type").asText());
    assertEquals("CAUSAL_LM", json.get("task_type").asText());
    assertEquals(3, json.get("r").asInt());
    assertTrue(json.get("lora_alpha").isInt());
    assertEquals("none", json.get("bias").asText());
    assertEquals(conv1d, json.get("fan_in_fan_out").asBoolean());
    Set<String> named = new HashSet<>();
    json.get("target_modules").forEach(name -> named.add(name.asText()));
    assertEquals(targets, named);
    try (SafetensorsFile file =
        SafetensorsFile.open(directory.resolve("adapter_model.safetensors"))) {
      assertEquals("pt", file.metadata().get("format"));
      assertEquals(2 * 2 * LoraTarget.of(model).size(), file.names().size());
      for (Map.Entry<String, List<Long>> tensor : tensors.entrySet()) {
        TensorInfo info = file.find(tensor.getKey());
        assertTrue(info != null, tensor.getKey());
        assertEquals(tensor.getValue(), info.shape(), tensor.getKey());
        assertEquals(TensorType.F32, info.type());
      }
    }
  }

  /** One of GPT-2's two matrices named c_proj has to be named more exactly. */
  @Test
  void oneOfTwoMatricesOfOneName_isNamedWithItsParent() throws IOException {
    Path directory = parent.resolve("adapter");
    LoraConfig lora = LORA.withTargets(LoraTarget.DOWN);
    AdapterDirectory.save(directory, random(Examples.gpt2(), lora), Examples.gpt2());
    String config = Files.readString(directory.resolve("adapter_config.json"));
    assertTrue(config.contains("[ \"mlp.c_proj\" ]"), config);
  }

  /** An adapter as PEFT 0.18 writes it, with all keys that it has. */
  private Path handmade() throws IOException {
    Path directory = Files.createDirectories(parent.resolve("handmade"));
    Files.writeString(
        directory.resolve("adapter_config.json"),
        """
        {
          "alora_invocation_tokens": null, "alpha_pattern": {}, "arrow_config": null,
          "auto_mapping": null, "base_model_name_or_path": "some/llama", "bias": "none",
          "corda_config": null, "ensure_weight_tying": false, "eva_config": null,
          "exclude_modules": null, "fan_in_fan_out": false, "inference_mode": true,
          "init_lora_weights": true, "layer_replication": null, "layers_pattern": null,
          "layers_to_transform": null, "loftq_config": {}, "lora_alpha": 4, "lora_bias": false,
          "lora_dropout": 0.1, "megatron_config": null, "megatron_core": "megatron.core",
          "modules_to_save": null, "peft_type": "LORA", "peft_version": "0.18.0",
          "qalora_group_size": 16, "r": 2, "rank_pattern": {}, "revision": null,
          "target_modules": ["v_proj", "q_proj"], "target_parameters": null,
          "task_type": "CAUSAL_LM", "trainable_token_indices": null, "use_dora": false,
          "use_qalora": false, "use_rslora": false
        }
        """);
    write(directory, "", 2);
    return directory;
  }

  /** The tensors of the handmade adapter: value number i of each is i / 4. */
  private static void write(Path directory, String without, int rank) throws IOException {
    List<SafetensorsWriter.Tensor> tensors = new ArrayList<>();
    for (int layer = 0; layer < 2; layer++) {
      String start = "base_model.model.model.layers." + layer + ".self_attn.";
      add(tensors, start + "q_proj.lora_A.weight", rank, 8);
      add(tensors, start + "q_proj.lora_B.weight", 8, rank);
      add(tensors, start + "v_proj.lora_A.weight", rank, 8);
      add(tensors, start + "v_proj.lora_B.weight", 4, rank);
    }
    tensors.removeIf(tensor -> !without.isEmpty() && tensor.info().name().contains(without));
    Path file = directory.resolve("adapter_model.safetensors");
    Files.deleteIfExists(file);
    SafetensorsWriter.write(file, Map.of("format", "pt"), tensors);
  }

  private static void add(
      List<SafetensorsWriter.Tensor> tensors, String name, long rows, long columns) {
    double[] values = new double[(int) (rows * columns)];
    Arrays.setAll(values, i -> i / 4.0);
    tensors.add(
        new SafetensorsWriter.Tensor(
            TensorInfo.of(name, TensorType.F32, List.of(rows, columns)),
            writer -> writer.write(values, 0, values.length)));
  }

  @Test
  void handmadeAdapter_loads() throws IOException {
    LoraAdapter adapter = AdapterDirectory.load(handmade(), Examples.llama());
    assertEquals(2, adapter.config().rank());
    assertEquals(2, adapter.config().scale());
    assertEquals(Set.of(LoraTarget.QUERY, LoraTarget.VALUE), adapter.config().targets());
    assertEquals(4, adapter.modules().size());
    LoraModule module = adapter.modules().get(3);
    assertEquals(LoraTarget.VALUE, module.target());
    assertArrayEquals(
        new float[] {0, 0.25f, 0.5f, 0.75f, 1, 1.25f, 1.5f, 1.75f}, adapter.b(module));
    Path wholeNames = handmade();
    Examples.edit(
        wholeNames.resolve("adapter_config.json"),
        "[\"v_proj\", \"q_proj\"]",
        "[\"model.layers.1.self_attn.v_proj\", \"q_proj\", \"layers.0.self_attn.v_proj\"]");
    assertEquals(4, AdapterDirectory.load(wholeNames, Examples.llama()).modules().size());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"use_dora\": false | \"use_dora\": true",
        "\"bias\": \"none\" | \"bias\": \"all\"",
        "\"modules_to_save\": null | \"modules_to_save\": [\"lm_head\"]",
        "\"rank_pattern\": {} | \"rank_pattern\": {\"q_proj\": 4}",
        "\"alpha_pattern\": {} | \"alpha_pattern\": {\"q_proj\": 4}",
        "\"layers_to_transform\": null | \"layers_to_transform\": [1]",
        "\"exclude_modules\": null | \"exclude_modules\": \"v_proj\"",
        "\"layer_replication\": null | \"layer_replication\": [[0, 1]]",
        "\"lora_bias\": false | \"lora_bias\": true",
        "\"target_parameters\": null | \"target_parameters\": [\"x\"]",
        "\"trainable_token_indices\": null | \"trainable_token_indices\": [1]",
        "\"alora_invocation_tokens\": null | \"alora_invocation_tokens\": [1]",
        "\"init_lora_weights\": true | \"init_lora_weights\": \"pissa\"",
        "\"peft_type\": \"LORA\" | \"peft_type\": \"IA3\"",
        "\"task_type\": \"CAUSAL_LM\" | \"task_type\": \"SEQ_CLS\"",
        "\"use_qalora\": false | \"of_the_future\": 3",
        "\"r\": 2 | \"r\": 0",
        "\"r\": 2 | \"r\": 2147483647",
        "\"lora_alpha\": 4 | \"lora_alpha\": \"much\"",
        "\"lora_alpha\": 4 | \"lora_alpha\": -1",
        "[\"v_proj\", \"q_proj\"] | \".*_proj\"",
        "[\"v_proj\", \"q_proj\"] | []",
        "[\"v_proj\", \"q_proj\"] | [\"q_proj\", \"lm_head\"]"
      })
  void whatIsNotImplemented_isRefusedByKeyAndValue(String from, String to) throws IOException {
    Path directory = handmade();
    Examples.edit(directory.resolve("adapter_config.json"), from, to);
    InvalidFileException e =
        assertThrows(
            InvalidFileException.class, () -> AdapterDirectory.load(directory, Examples.llama()));
    assertTrue(e.getMessage().contains("adapter_config.json"), e.getMessage());
    String key = to.startsWith("\"") && to.contains(":") ? to.split("\"")[1] : "target_modules";
    assertTrue(
        e.getMessage().contains(key) || e.getMessage().contains("alpha (-1.0)"), e.getMessage());
  }

  @Test
  void allTensorsThatAreMissingOrWrong_areListed() throws IOException {
    Path directory = handmade();
    write(directory, "layers.1.self_attn.v_proj", 3);
    String message =
        assertThrows(
                InvalidFileException.class,
                () -> AdapterDirectory.load(directory, Examples.llama()))
            .getMessage();
    assertTrue(message.contains("2 missing: "), message);
    assertTrue(message.contains("layers.1.self_attn.v_proj.lora_B.weight"), message);
    assertTrue(message.contains("6 not as adapter_config.json"), message);
    assertTrue(
        message.contains(
            "layers.0.self_attn.v_proj.lora_B.weight of shape [4, 3] instead of [4, 2]"),
        message);
    write(directory, "", 2);
    message =
        assertThrows(
                InvalidFileException.class,
                () -> AdapterDirectory.load(directory, Examples.threeLayers()))
            .getMessage();
    assertTrue(message.contains("4 missing: "), message);
    assertTrue(message.contains("instead of [8, 2]"), message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"adapter_config.json", "adapter_model.safetensors"})
  void file_damaged_isReadOrRefused(String name) throws IOException {
    Path file = handmade().resolve(name);
    byte[] whole = Files.readAllBytes(file);
    Random random = new Random(3);
    int refused = 0;
    for (int i = 0; i < 300; i++) {
      byte[] damaged =
          Arrays.copyOf(whole, i % 3 == 0 ? random.nextInt(whole.length) : whole.length);
      for (int j = 0; j < 3 && damaged.length > 0; j++) {
        damaged[random.nextInt(Math.min(damaged.length, 1200))] = (byte) random.nextInt(128);
      }
      Files.write(file, damaged);
      try {
        AdapterDirectory.load(file.getParent(), Examples.llama());
      } catch (InvalidFileException e) {
        refused++;
      }
    }
    assertTrue(refused > 150, refused + " refused");
  }

  @Test
  void saving_refusesWhatItWouldLose() throws IOException {
    LoraAdapter adapter = random(Examples.llama(), LORA);
    Path foreign = handmade();
    assertThrows(
        InvalidFileException.class,
        () -> AdapterDirectory.save(foreign, adapter, Examples.llama()));
    assertThrows(
        IllegalArgumentException.class,
        () -> AdapterDirectory.save(parent.resolve("new"), adapter, Examples.gpt2()));
    Path file = Files.writeString(parent.resolve("file"), "x");
    assertThrows(IOException.class, () -> AdapterDirectory.save(file, adapter, Examples.llama()));
    assertThrows(IOException.class, () -> AdapterDirectory.load(file, Examples.llama()));
  }
}
