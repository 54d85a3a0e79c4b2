package dev.spatz.checkpoint;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.transformer.RopeScaling;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Files with random damage load, or are refused by an exception that is documented; never anything
 * else, and never memory beyond the files' size.
 */
class BrokenFilesTest {
  private static final int TRIALS = 300;
  private static final byte[] TELLING =
      "{}[]\",:0123456789-.eE\\nulltrue\0".getBytes(StandardCharsets.US_ASCII);

  @TempDir Path parent;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "generation_config.json"
      })
  void file_damaged_isReadOrRefused(String name) throws IOException {
    Random random = new Random(name.hashCode());
    int refused = 0;
    List<Map.Entry<Tokenizer, TransformerConfig>> models =
        List.of(
            Map.entry(Examples.CHARACTERS, Examples.llama()),
            Map.entry(
                Examples.CHARACTERS,
                Examples.qwen3().withRopeScaling(new RopeScaling.Llama3(8, 1, 4, 5))),
            Map.entry(
                Examples.BYTE_PAIRS,
                Examples.gpt2().withVocabularySize(Examples.BYTE_PAIRS.vocabularySize())));
    for (Map.Entry<Tokenizer, TransformerConfig> model : models) {
      TransformerConfig shape = model.getValue();
      Path directory = parent.resolve(shape.architecture().name());
      try (Transformer transformer = Examples.random(shape, DataType.FLOAT)) {
        ModelDirectory.save(directory, transformer, model.getKey(), Examples.PROVENANCE);
      }
      Path file = directory.resolve(name);
      byte[] good = Files.readAllBytes(file);
      for (int trial = 0; trial < TRIALS / models.size(); trial++) {
        Files.write(file, damage(good, random));
        refused += isRefused(directory) ? 1 : 0;
      }
    }
    assertTrue(refused > 0, "no damage was noticed");
  }

  @ParameterizedTest
  @ValueSource(strings = {"model.safetensors.index.json", "model-2.safetensors"})
  void shard_damaged_isReadOrRefused(String name) throws IOException {
    Random random = new Random(name.hashCode());
    Examples.save(parent, Examples.qwen2());
    List<SafetensorsWriter.Tensor> first = new ArrayList<>();
    List<SafetensorsWriter.Tensor> second = new ArrayList<>();
    ObjectNode index = JsonObject.create();
    ObjectNode map = index.putObject("weight_map");
    Path whole = parent.resolve("model.safetensors");
    try (SafetensorsFile file = SafetensorsFile.open(whole)) {
      for (String tensor : file.names()) {
        double[] values = Examples.values(file, tensor);
        boolean odd = map.size() % 2 == 1;
        (odd ? second : first)
            .add(
                new SafetensorsWriter.Tensor(
                    Objects.requireNonNull(file.find(tensor)),
                    writer -> writer.write(values, 0, values.length)));
        map.put(tensor, odd ? "model-2.safetensors" : "model-1.safetensors");
      }
    }
    Files.delete(whole);
    SafetensorsWriter.write(parent.resolve("model-1.safetensors"), Map.of(), first);
    SafetensorsWriter.write(parent.resolve("model-2.safetensors"), Map.of(), second);
    JsonObject.write(parent.resolve("model.safetensors.index.json"), index);
    assertFalse(isRefused(parent));
    Path file = parent.resolve(name);
    byte[] good = Files.readAllBytes(file);
    int refused = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
      Files.write(file, damage(good, random));
      refused += isRefused(parent) ? 1 : 0;
    }
    assertTrue(refused > 0, "no damage was noticed");
  }

  private static byte[] damage(byte[] good, Random random) {
    byte[] bytes = good.clone();
    // Most of a file of weights is numbers, where any bits will do: damage rather the header.
    int length = random.nextBoolean() ? bytes.length : Math.min(bytes.length, 2000);
    switch (random.nextInt(4)) {
      case 0:
        return Arrays.copyOf(bytes, random.nextInt(bytes.length));
      case 1:
        return Arrays.copyOf(bytes, bytes.length + 1 + random.nextInt(9));
      case 2:
        bytes[random.nextInt(length)] ^= (byte) (1 << random.nextInt(8));
        return bytes;
      default:
        for (int edits = 1 + random.nextInt(3); edits > 0; edits--) {
          bytes[random.nextInt(length)] = TELLING[random.nextInt(TELLING.length)];
        }
        return bytes;
    }
  }

  private static boolean isRefused(Path directory) throws IOException {
    try {
      ModelDirectory.load(directory).close();
      return false;
    } catch (IOException e) {
      assertTrue(e.getMessage().contains(directory.toString()), e.getMessage());
      return true;
    } catch (RuntimeException e) {
      return fail("a broken file caused an undocumented exception", e);
    }
  }
}
