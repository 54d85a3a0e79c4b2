package dev.spatz.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.kernel.Tensors;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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
      assertTrue(loaded.transformer().config().biases());
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
          "pad_token_id": 8
        }
        """,
        Files.readString(directory.resolve("generation_config.json")));
  }

  // ---- files of others ----

  @Test
  void names_withoutPrefix_areRead() throws IOException {
    assertEquivalent(Examples.gpt2(), name -> name.replaceFirst("^transformer\\.", ""));
  }

  @Test
  void llamaNames_withoutPrefix_areRead() throws IOException {
    assertEquivalent(Examples.llama(), name -> name.replaceFirst("^model\\.", ""));
  }

  @Test
  void buffersAndTiedHead_arePassedOver() throws IOException {
    Examples.save(directory, Examples.gpt2());
    float[] expected = loadedWeights();
    List<SafetensorsWriter.Tensor> tensors = tensors(name -> name);
    tensors.add(tensor("transformer.h.0.attn.bias", List.of(1L, 1L, 7L, 7L), new double[49]));
    tensors.add(tensor("h.1.attn.masked_bias", List.of(), new double[1]));
    tensors.add(tensor("lm_head.weight", List.of(9L, 9L), values("transformer.wte.weight")));
    rewrite(tensors);
    assertArrayEquals(expected, loadedWeights());
  }

  @Test
  void tiedHead_thatDiffers_isRefused() throws IOException {
    Examples.save(directory, Examples.gpt2());
    List<SafetensorsWriter.Tensor> tensors = tensors(name -> name);
    tensors.add(tensor("lm_head.weight", List.of(9L, 9L), new double[81]));
    rewrite(tensors);
    assertRefused("tensor lm_head.weight differs from transformer.wte.weight");
  }

  @Test
  void tensors_notTheModels_areAllListed() throws IOException {
    Examples.save(directory, Examples.gpt2());
    List<SafetensorsWriter.Tensor> tensors =
        tensors(name -> name.replace("wpe", "wxe").replace("h.1.ln_2.bias", "h.1.ln_3.bias"));
    tensors.removeIf(tensor -> tensor.info().name().equals("transformer.ln_f.bias"));
    tensors.add(tensor("transformer.ln_f.bias", List.of(3L, 3L), new double[9]));
    rewrite(tensors);
    assertRefused(
        "2 missing: transformer.wpe.weight, transformer.h.1.ln_2.bias; "
            + "2 unexpected: transformer.h.1.ln_3.bias, transformer.wxe.weight; "
            + "1 not as config.json asks: transformer.ln_f.bias of shape [3, 3] instead of [9]");
  }

  @ParameterizedTest
  @CsvSource({"F16,2", "BF16,2", "F64,8"})
  void weights_ofOtherTypes_areRead(TensorType type, int bytes) throws IOException {
    Examples.save(directory, Examples.llama());
    // The pattern of bits of one half, in each type; all weights are given this value.
    byte[] half =
        switch (type) {
          case F16 -> new byte[] {0, 0x38};
          case BF16 -> new byte[] {0, 0x3F};
          default -> ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putDouble(0.5).array();
        };
    List<TensorInfo> infos = new ArrayList<>();
    for (SafetensorsWriter.Tensor tensor : tensors(name -> name)) {
      infos.add(TensorInfo.of(tensor.info().name(), type, tensor.info().shape()));
    }
    SafetensorsHeader header = SafetensorsHeader.arrange(Map.of(), infos);
    long end = header.tensors().get(infos.size() - 1).end();
    ByteBuffer data = ByteBuffer.allocate((int) end);
    while (data.hasRemaining()) {
      data.put(half);
    }
    byte[] json = header.bytes();
    Examples.safetensors(weights, json.length, json, data.array());
    try (LoadedModel loaded = ModelDirectory.load(directory)) {
      for (var parameter : loaded.transformer().parameters().layout().parameters()) {
        for (float value : floats(loaded.transformer(), parameter.name())) {
          assertEquals(0.5f, value);
        }
      }
    }
    assertEquals(end, bytes * elements(infos));
  }

  private static long elements(List<TensorInfo> infos) {
    return infos.stream().mapToLong(TensorInfo::elements).sum();
  }

  @Test
  void weights_ofIntegers_areRefused() throws IOException {
    Examples.save(directory, Examples.llama());
    byte[] bytes = Files.readAllBytes(weights);
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    int at = text.indexOf("\"F32\"");
    bytes[at + 1] = 'I';
    Files.write(weights, bytes);
    assertRefused("of type I32 instead of F32, F16, BF16 or F64");
  }

  // ---- several files ----

  @Test
  void shards_areReadByTheirIndex() throws IOException {
    Examples.save(directory, Examples.llama());
    float[] expected = loadedWeights();
    shard("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors");
    assertArrayEquals(expected, loadedWeights());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "model-2.safetensors|../model-2.safetensors|must be the name of a .safetensors file",
        "model-2.safetensors|/model-2.safetensors|must be the name of a .safetensors file",
        "model-2.safetensors|absent.safetensors|there is no such file",
        "\"model-2.safetensors\"|7|it must be a string",
        "\"model.norm.weight\"|\"model.norm.bias\"|that file has no such tensor",
        "weight_map|map|weight_map is absent"
      })
  void shards_notAsTheIndexSays_areRefused(String from, String to, String fault)
      throws IOException {
    Examples.save(directory, Examples.llama());
    shard("model-1.safetensors", "model-2.safetensors");
    Examples.edit(directory.resolve("model.safetensors.index.json"), from, to);
    assertRefused(fault);
  }

  @Test
  void shards_withATensorTwice_areRefused() throws IOException {
    Examples.save(directory, Examples.llama());
    shard("model-1.safetensors", "model-2.safetensors");
    Files.copy(
        directory.resolve("model-1.safetensors"),
        directory.resolve("model-2.safetensors"),
        StandardCopyOption.REPLACE_EXISTING);
    assertRefused("is in another file too");
  }

  /** Distributes the tensors in turn, and writes the index. */
  private void shard(String first, String second) throws IOException {
    List<SafetensorsWriter.Tensor> all = tensors(name -> name);
    List<SafetensorsWriter.Tensor> odd = new ArrayList<>();
    List<SafetensorsWriter.Tensor> even = new ArrayList<>();
    StringBuilder index = new StringBuilder("{\"metadata\":{\"total_size\":1},\"weight_map\":{");
    for (int i = 0; i < all.size(); i++) {
      (i % 2 == 0 ? even : odd).add(all.get(i));
      index.append(
          "%s\"%s\":\"%s\""
              .formatted(i == 0 ? "" : ",", all.get(i).info().name(), i % 2 == 0 ? first : second));
    }
    Files.delete(weights);
    SafetensorsWriter.write(directory.resolve(first), Map.of(), even);
    SafetensorsWriter.write(directory.resolve(second), Map.of(), odd);
    Files.writeString(directory.resolve("model.safetensors.index.json"), index.append("}}"));
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

  private void assertEquivalent(TransformerConfig shape, UnaryOperator<String> rename)
      throws IOException {
    Examples.save(directory, shape);
    float[] expected = loadedWeights();
    byte[] before = Files.readAllBytes(weights);
    rewrite(tensors(rename));
    assertNotEquals(before.length, Files.readAllBytes(weights).length);
    assertArrayEquals(expected, loadedWeights());
  }

  private float[] loadedWeights() throws IOException {
    try (LoadedModel loaded = ModelDirectory.load(directory)) {
      return Examples.weights(loaded.transformer());
    }
  }

  private void rewrite(List<SafetensorsWriter.Tensor> tensors) throws IOException {
    Files.delete(weights);
    SafetensorsWriter.write(weights, Map.of(), tensors);
  }

  /** The tensors of the saved model, renamed. */
  private List<SafetensorsWriter.Tensor> tensors(UnaryOperator<String> rename) throws IOException {
    List<SafetensorsWriter.Tensor> tensors = new ArrayList<>();
    try (SafetensorsFile file = SafetensorsFile.open(weights)) {
      for (String name : file.names()) {
        TensorInfo info = Objects.requireNonNull(file.find(name));
        tensors.add(tensor(rename.apply(name), info.shape(), read(file, name)));
      }
    }
    return tensors;
  }

  private double[] values(String name) throws IOException {
    try (SafetensorsFile file = SafetensorsFile.open(weights)) {
      return read(file, name);
    }
  }

  private static SafetensorsWriter.Tensor tensor(String name, List<Long> shape, double[] values) {
    return new SafetensorsWriter.Tensor(
        TensorInfo.of(name, TensorType.F32, shape),
        writer -> writer.write(values, 0, values.length));
  }

  private static double[] read(SafetensorsFile file, String name) throws IOException {
    TensorInfo info = Objects.requireNonNull(file.find(name));
    double[] values = new double[(int) info.elements()];
    file.read(info, 0, values, 0, values.length);
    return values;
  }

  private static float[] floats(Transformer transformer, String parameter) {
    INDArray view = transformer.parameters().get(parameter);
    return Tensors.toFloats(view);
  }

  private static void assertTensor(
      SafetensorsFile file, String name, String shape, float[] expected, int offset)
      throws IOException {
    assertEquals(shape, Objects.requireNonNull(file.find(name)).shape().toString());
    double[] actual = read(file, name);
    for (int i = 0; i < actual.length; i++) {
      assertEquals(expected[offset + i], (float) actual[i]);
    }
  }
}
