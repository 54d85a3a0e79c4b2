package dev.spatz.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.kernel.RoundedMatrix;
import dev.spatz.kernel.Tensors;
import dev.spatz.kernel.WeightPrecision;
import dev.spatz.transformer.Biases;
import dev.spatz.transformer.Parameter;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

class ModelDirectoryTest {
  @TempDir Path parent;
  private Path directory;
  private Path weights;

  @BeforeEach
  void nameDirectory() {
    directory = parent.resolve("model");
    weights = directory.resolve("model.safetensors");
  }

  static Stream<TransformerConfig> shapes() {
    return Stream.of(
        Examples.gpt2(),
        Examples.gpt2().withBiases(false),
        Examples.gpt2().withTiedEmbeddings(false).withFeedForward(5).withDropout(0.1),
        Examples.llama(),
        Examples.llama().withBiases(true).withKeyValueHeads(1),
        Examples.llama().withBiases(Biases.ATTENTION),
        Examples.llama().withBiases(Biases.FEED_FORWARD),
        Examples.qwen2(),
        Examples.qwen3(),
        Examples.qwen3().withBiases(Biases.ATTENTION).withTiedEmbeddings(false),
        Examples.llama().withKeyValueHeads(4).withTiedEmbeddings(false),
        Examples.llama().withHeadSize(6).withDropout(0.25),
        TransformerConfig.llama(300, 9, 1, 2, 4));
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void model_savedAndLoaded_isTheSameBits(TransformerConfig shape) throws IOException {
    try (Transformer transformer = Examples.random(shape, DataType.FLOAT)) {
      ModelDirectory.save(directory, transformer, Examples.CHARACTERS, Examples.PROVENANCE);
      try (LoadedModel loaded = ModelDirectory.load(directory)) {
        assertEquals(shape, loaded.transformer().config());
        assertEquals(DataType.FLOAT, loaded.transformer().dataType());
        assertArrayEquals(Examples.weights(transformer), Examples.weights(loaded.transformer()));
        assertEquals(Examples.PROVENANCE, loaded.provenance());
        assertEquals(Examples.CHARACTERS.vocabularySize(), loaded.tokenizer().vocabularySize());
        byte[] first = Files.readAllBytes(weights);
        ModelDirectory.save(
            directory, loaded.transformer(), loaded.tokenizer(), loaded.provenance());
        assertArrayEquals(first, Files.readAllBytes(weights));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void model_loadedFrozen_hasItsMatricesRounded(TransformerConfig shape) throws IOException {
    Examples.save(directory, shape);
    try (LoadedModel whole = ModelDirectory.load(directory);
        LoadedModel frozen = ModelDirectory.loadFrozen(directory, WeightPrecision.INT8)) {
      int rounded = 0;
      for (Parameter parameter : whole.transformer().parameters().layout().parameters()) {
        INDArray expected = whole.transformer().parameters().get(parameter.name());
        if (!frozen.transformer().parameters().has(parameter.name())) {
          try (RoundedMatrix matrix = RoundedMatrix.of(expected, WeightPrecision.INT8)) {
            matrix.copyTo(expected);
          }
          rounded++;
        }
        INDArray actual = Tensors.zeros(DataType.FLOAT, parameter.shape());
        frozen.transformer().read(parameter.name(), actual);
        assertArrayEquals(Tensors.toFloats(expected), Tensors.toFloats(actual), parameter.name());
      }
      assertEquals(4 * shape.layers(), rounded);
      assertThrows(
          IllegalStateException.class,
          () -> ModelDirectory.save(directory, frozen.transformer(), frozen.tokenizer(), null));
    }
  }

  @Test
  void model_inFloat64_isWrittenRounded() throws IOException {
    Examples.save(directory, Examples.llama());
    try (LoadedModel wide = ModelDirectory.load(directory, DataType.DOUBLE);
        LoadedModel narrow = ModelDirectory.load(directory)) {
      assertEquals(DataType.DOUBLE, wide.transformer().dataType());
      assertArrayEquals(
          Examples.weights(narrow.transformer()), Examples.weights(wide.transformer()));
      Tensors.put(wide.transformer().parameters().get("tokens"), 0, Math.PI);
      ModelDirectory.save(directory, wide.transformer(), wide.tokenizer(), null);
    }
    try (LoadedModel rounded = ModelDirectory.load(directory, DataType.DOUBLE)) {
      assertEquals(
          (float) Math.PI, Tensors.get(rounded.transformer().parameters().get("tokens"), 0));
      assertNull(rounded.provenance());
    }
  }

  // ---- the names and shapes of Hugging Face's library ----

  @Test
  void llama_written_hasTheLibrarysTensors() throws IOException {
    TransformerConfig shape = Examples.llama().withTiedEmbeddings(false);
    try (Transformer transformer = Examples.random(shape, DataType.FLOAT)) {
      ModelDirectory.save(directory, transformer, Examples.CHARACTERS, null);
      float[] qkv = floats(transformer, "layers.1.attention.qkv.weight"); // (8+4+4, 8)
      float[] gateUp = floats(transformer, "layers.1.feedforward.up.weight"); // (22, 8)
      try (SafetensorsFile file = SafetensorsFile.open(weights)) {
        assertEquals(Map.of("format", "pt"), file.metadata());
        assertEquals(1 + 2 * 9 + 1 + 1, file.names().size());
        assertTensor(file, "model.layers.1.self_attn.q_proj.weight", "[8, 8]", qkv, 0);
        assertTensor(file, "model.layers.1.self_attn.k_proj.weight", "[4, 8]", qkv, 64);
        assertTensor(file, "model.layers.1.self_attn.v_proj.weight", "[4, 8]", qkv, 96);
        assertTensor(file, "model.layers.1.mlp.gate_proj.weight", "[11, 8]", gateUp, 0);
        assertTensor(file, "model.layers.1.mlp.up_proj.weight", "[11, 8]", gateUp, 88);
        assertTensor(file, "lm_head.weight", "[9, 8]", floats(transformer, "head"), 0);
      }
    }
  }

  @Test
  void gpt2_written_isTransposed() throws IOException {
    try (Transformer transformer = Examples.random(Examples.gpt2(), DataType.FLOAT)) {
      ModelDirectory.save(directory, transformer, Examples.CHARACTERS, null);
      float[] up = floats(transformer, "layers.0.feedforward.up.weight"); // (36, 9)
      float[] transposed = new float[up.length];
      for (int out = 0; out < 36; out++) {
        for (int in = 0; in < 9; in++) {
          transposed[in * 36 + out] = up[out * 9 + in];
        }
      }
      try (SafetensorsFile file = SafetensorsFile.open(weights)) {
        assertEquals(2 + 2 * 12 + 2, file.names().size());
        assertTensor(file, "transformer.h.0.mlp.c_fc.weight", "[9, 36]", transposed, 0);
      }
    }
  }

  @Test
  void gpt2_withoutBiases_isWrittenWithZeros() throws IOException {
    Examples.save(directory, Examples.gpt2().withBiases(false));
    try (SafetensorsFile file = SafetensorsFile.open(weights)) {
      assertTensor(file, "transformer.h.1.attn.c_attn.bias", "[27]", new float[27], 0);
      assertTensor(file, "transformer.ln_f.bias", "[9]", new float[9], 0);
    }
  }

  @Test
  void gpt2_saidToHaveNoBiases_isRefusedIfItHas() throws IOException {
    Examples.save(directory, Examples.gpt2());
    Examples.edit(directory.resolve("config.json"), "\"biases\": true", "\"biases\": false");
    assertRefused("h.0.ln_1.bias has a value of");
  }

  @Test
  void gpt2_byOthersWithZeroBiases_hasBiases() throws IOException {
    Examples.save(directory, Examples.gpt2().withBiases(false));
    Examples.edit(directory.resolve("config.json"), "\"spatz\"", "\"other\"");
    try (LoadedModel loaded = ModelDirectory.load(directory)) {
      assertEquals(Biases.ALL, loaded.transformer().config().biases());
    }
  }

  @Test
  void config_written_hasWhatTheLibraryWants() throws IOException {
    Examples.save(directory, Examples.llama());
    String config = Files.readString(directory.resolve("config.json"));
    for (String line :
        List.of(
            "\"architectures\": [ \"LlamaForCausalLM\" ]",
            "\"model_type\": \"llama\"",
            "\"vocab_size\": 9",
            "\"hidden_size\": 8",
            "\"head_dim\": 2",
            "\"num_key_value_heads\": 2",
            "\"rope_theta\": 10000.0",
            "\"tie_word_embeddings\": true",
            "\"eos_token_id\": 8",
            "\"torch_dtype\": \"float32\"")) {
      assertTrue(config.contains(line), config);
    }
    assertEquals(
        """
        {
          "bos_token_id": 8,
          "eos_token_id": 8,
          "pad_token_id": 8,
          "max_new_tokens": 128,
          "do_sample": true,
          "temperature": 0.8,
          "top_k": 0,
          "top_p": 0.95
        }
        """,
        Files.readString(directory.resolve("generation_config.json")));
  }

  // ---- what is refused ----

  @Test
  void layers_moreThanTheFilesHold_areRefusedBeforeMemoryIsTaken() throws IOException {
    Examples.save(directory, Examples.llama());
    Examples.edit(
        directory.resolve("config.json"),
        "\"num_hidden_layers\": 2",
        "\"num_hidden_layers\": 2000000000");
    assertRefused("cannot hold the 2,000,000,000 layers");
  }

  @Test
  void tensors_manyMissing_areCounted() throws IOException {
    Examples.save(directory, Examples.llama());
    Examples.edit(
        directory.resolve("config.json"), "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 30");
    assertRefused("252 missing: model.layers.2.input_layernorm.weight, ");
    assertRefused("model.layers.4.self_attn.q_proj.weight, and 232 more");
  }

  @Test
  void context_moreThanTheFilesExplain_isRefusedBeforeMemoryIsTaken() throws IOException {
    Examples.save(directory, Examples.llama());
    Examples.edit(
        directory.resolve("config.json"),
        "\"max_position_embeddings\": 7",
        "\"max_position_embeddings\": 2000000000");
    assertRefused("max_position_embeddings is 2000000000");
  }

  @Test
  void channels_moreThanTheFilesHold_areRefusedBeforeMemoryIsTaken() throws IOException {
    Examples.save(directory, Examples.gpt2());
    Examples.edit(directory.resolve("config.json"), "\"n_embd\": 9", "\"n_embd\": 300000000");
    assertRefused("of shape [9, 9] instead of [9, 300000000]");
  }

  @Test
  void vocabulary_smallerThanTheTokenizers_isRefused() throws IOException {
    Examples.save(directory, Examples.llama());
    Examples.edit(directory.resolve("config.json"), "\"vocab_size\": 9", "\"vocab_size\": 8");
    assertRefused("vocab_size is 8; it must be at least the number of ids of the tokenizer, 9");
  }

  @Test
  void weights_absent_areRefused() throws IOException {
    Examples.save(directory, Examples.llama());
    Files.delete(weights);
    assertRefused("has neither model.safetensors nor model.safetensors.index.json");
  }

  @Test
  void directory_absent_isRefused() {
    assertThrows(NotDirectoryException.class, () -> ModelDirectory.load(directory));
  }

  @Test
  void tokenizer_withMoreIdsThanTheModel_isNotSaved() {
    try (Transformer transformer =
        Examples.random(Examples.llama().withVocabularySize(8), DataType.FLOAT)) {
      assertThrows(
          IllegalArgumentException.class,
          () -> ModelDirectory.save(directory, transformer, Examples.CHARACTERS, null));
    }
    assertTrue(Files.notExists(directory));
  }

  @Test
  void tokenizer_absent_leavesTheWeightsLoadable() throws IOException {
    Examples.save(directory, Examples.llama());
    Files.delete(directory.resolve("tokenizer.json"));
    assertRefused("without a tokenizer only the weights can be loaded");
    try (Transformer transformer = ModelDirectory.loadTransformer(directory, DataType.FLOAT)) {
      assertEquals(Examples.llama(), transformer.config());
    }
  }

  private void assertRefused(String fault) {
    InvalidFileException e =
        assertThrows(InvalidFileException.class, () -> ModelDirectory.load(directory));
    assertTrue(e.getMessage().contains(fault), e.getMessage());
  }

  private static float[] floats(Transformer transformer, String parameter) {
    INDArray view = transformer.parameters().get(parameter);
    return Tensors.toFloats(view);
  }

  private static void assertTensor(
      SafetensorsFile file, String name, String shape, float[] expected, int offset)
      throws IOException {
    assertEquals(shape, Objects.requireNonNull(file.find(name)).shape().toString());
    double[] actual = Examples.values(file, name);
    for (int i = 0; i < actual.length; i++) {
      assertEquals(expected[offset + i], (float) actual[i]);
    }
  }
}
