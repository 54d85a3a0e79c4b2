package dev.spatz.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.kernel.Tensors;
import dev.spatz.transformer.Parameter;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Weights as others write them: without prefixes, in other types, in several files. */
class ForeignFilesTest {
  @TempDir Path parent;
  private Path directory;
  private Path weights;

  @BeforeEach
  void nameDirectory() {
    directory = parent.resolve("model");
    weights = directory.resolve("model.safetensors");
  }

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

  /** Of the two names of one matrix, savers that drop shared tensors keep any. */
  @Test
  void tiedEmbeddings_storedAsTheHeadOnly_areRead() throws IOException {
    for (TransformerConfig shape : List.of(Examples.gpt2(), Examples.llama(), Examples.qwen3())) {
      Path model = parent.resolve(shape.architecture().name());
      directory = model;
      weights = directory.resolve("model.safetensors");
      assertEquivalent(
          shape, name -> name.replaceFirst(".*(wte|embed_tokens).weight", "lm_head.weight"));
    }
  }

  @Test
  void untiedEmbeddings_storedAsTheHeadOnly_areMissing() throws IOException {
    Examples.save(directory, Examples.llama().withTiedEmbeddings(false));
    List<SafetensorsWriter.Tensor> tensors = tensors(name -> name);
    tensors.removeIf(tensor -> tensor.info().name().contains("embed_tokens"));
    rewrite(tensors);
    assertRefused("1 missing: model.embed_tokens.weight");
  }

  @Test
  void rotaryBuffers_arePassedOver() throws IOException {
    Examples.save(directory, Examples.qwen3());
    float[] expected = loadedWeights();
    List<SafetensorsWriter.Tensor> tensors = tensors(name -> name);
    String buffer = "rotary_emb.inv_freq";
    tensors.add(tensor("model.layers.0.self_attn." + buffer, List.of(3L), new double[3]));
    tensors.add(tensor("model." + buffer, List.of(3L), new double[3]));
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
      for (Parameter parameter : loaded.transformer().parameters().layout().parameters()) {
        INDArray view = loaded.transformer().parameters().get(parameter.name());
        for (float value : Tensors.toFloats(view)) {
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
        "weight_map|map|weight_map is absent",
        "{\"metadata|[\"metadata|the file is not JSON",
        "\"weight_map\":{|\"weight_map\":7,\"map\":{|weight_map is 7; it must be an object",
        "\"model.norm.weight\"|\"model.embed_tokens.weight\"|Duplicate field"
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
        tensors.add(tensor(rename.apply(name), info.shape(), Examples.values(file, name)));
      }
    }
    return tensors;
  }

  private double[] values(String name) throws IOException {
    try (SafetensorsFile file = SafetensorsFile.open(weights)) {
      return Examples.values(file, name);
    }
  }

  private static SafetensorsWriter.Tensor tensor(String name, List<Long> shape, double[] values) {
    return new SafetensorsWriter.Tensor(
        TensorInfo.of(name, TensorType.F32, shape),
        writer -> writer.write(values, 0, values.length));
  }
}
