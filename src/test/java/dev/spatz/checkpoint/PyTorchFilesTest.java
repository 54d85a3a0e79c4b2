package dev.spatz.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.Tensors;
import dev.spatz.tokenizer.CharacterTokenizer;
import dev.spatz.transformer.Decoder;
import dev.spatz.transformer.KeyValueCache;
import dev.spatz.transformer.Transformer;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Every directory that {@code src/test/python/make_fixtures.py} made with PyTorch is loaded from
 * its own files, gives PyTorch's logits, and is the same after saving and loading.
 */
class PyTorchFilesTest {
  private static final double TOLERANCE = 1e-4;

  /**
   * nanoGPT's model without biases, which no file of GPT-2 can be: its weights are not complete. It
   * is loaded with zeros for them.
   */
  private static final String WITHOUT_BIASES = "gpt2-exact-gelu-no-bias";

  private static final int SEQUENCES = 3;

  @TempDir Path parent;

  private static Path root() {
    try {
      return Path.of(PyTorchFilesTest.class.getResource("/pytorch").toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  static Stream<String> models() throws IOException {
    try (Stream<Path> directories = Files.list(root())) {
      return directories
          .map(directory -> directory.getFileName().toString())
          .filter(name -> !name.equals(WITHOUT_BIASES))
          .sorted()
          .toList()
          .stream();
    }
  }

  @Test
  void models_areOfEveryKind() throws IOException {
    List<String> names = models().toList();
    for (String kind : List.of("gpt2", "llama", "mistral", "qwen2", "qwen3")) {
      assertTrue(names.stream().anyMatch(name -> name.startsWith("files-" + kind)), kind);
    }
    assertEquals(18, names.size());
  }

  @ParameterizedTest
  @MethodSource("models")
  void logits_ofAModelFromItsFiles_equalPyTorchs(String name) throws IOException {
    assertEqualsPyTorchs(root().resolve(name), root().resolve(name));
  }

  @Test
  void modelWithoutBiases_isRefused_andEqualsPyTorchsWithZeros() throws IOException {
    Path original = root().resolve(WITHOUT_BIASES);
    Path completed = Files.createDirectory(parent.resolve("completed"));
    InvalidFileException refused =
        assertThrows(
            InvalidFileException.class,
            () -> ModelDirectory.loadTransformer(original, DataType.FLOAT));
    assertTrue(
        refused.getMessage().contains("missing: transformer.h.0.ln_1.bias"), refused.getMessage());
    Files.copy(original.resolve("config.json"), completed.resolve("config.json"));
    List<SafetensorsWriter.Tensor> tensors = new ArrayList<>();
    try (SafetensorsFile file = SafetensorsFile.open(original.resolve("model.safetensors"))) {
      for (TensorMapping tensor : new Gpt2Format().tensors(ConfigFile.read(completed).shape())) {
        TensorInfo info = TensorInfo.of(tensor.name(), TensorType.F32, tensor.shape());
        double[] values =
            file.find(tensor.name()) == null
                ? new double[(int) info.elements()]
                : Examples.values(file, tensor.name());
        tensors.add(
            new SafetensorsWriter.Tensor(info, writer -> writer.write(values, 0, values.length)));
      }
    }
    SafetensorsWriter.write(completed.resolve("model.safetensors"), Map.of(), tensors);
    assertEqualsPyTorchs(original, completed);
  }

  private static void assertEqualsPyTorchs(Path expectations, Path model) throws IOException {
    JsonNode ids = new ObjectMapper().readTree(expectations.resolve("expected.json").toFile());
    double[] expected;
    try (SafetensorsFile file =
        SafetensorsFile.open(expectations.resolve("expected.safetensors"))) {
      expected = Examples.values(file, "logits");
    }
    try (Transformer transformer = ModelDirectory.loadTransformer(model, DataType.FLOAT)) {
      double[] logits = logits(transformer, ids.get("input_ids"));
      assertEquals(expected.length, logits.length);
      double largest = 0;
      double difference = 0;
      for (int i = 0; i < expected.length; i++) {
        largest = Math.max(largest, Math.abs(expected[i]));
        difference = Math.max(difference, Math.abs(expected[i] - logits[i]));
      }
      double error = difference / largest;
      assertTrue(error <= TOLERANCE, () -> model + " differs by " + error);
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void model_savedAndLoaded_isTheSameBits(String name) throws IOException {
    Path saved = parent.resolve("saved");
    try (Transformer first = ModelDirectory.loadTransformer(root().resolve(name), DataType.FLOAT)) {
      ModelDirectory.save(saved, first, CharacterTokenizer.learn(List.of("abc")), null);
      try (Transformer second = ModelDirectory.loadTransformer(saved, DataType.FLOAT)) {
        assertEquals(first.config(), second.config());
        assertArrayEquals(Examples.weights(first), Examples.weights(second));
      }
    }
  }

  /** Of every position, one token after the other. */
  private static double[] logits(Transformer transformer, JsonNode ids) {
    int time = ids.size() / SEQUENCES;
    int vocabularySize = transformer.config().vocabularySize();
    double[] logits = new double[ids.size() * vocabularySize];
    try (Kernels kernels = KernelBackend.choose().create();
        Decoder decoder = transformer.decoder()) {
      for (int sequence = 0; sequence < SEQUENCES; sequence++) {
        try (KeyValueCache cache = transformer.cache()) {
          for (int i = sequence * time; i < (sequence + 1) * time; i++) {
            double[] row = Tensors.toDoubles(decoder.accept(kernels, cache, ids.get(i).intValue()));
            System.arraycopy(row, 0, logits, i * vocabularySize, vocabularySize);
          }
        }
      }
    }
    return logits;
  }
}
