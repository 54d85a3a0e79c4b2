package dev.spatz.checkpoint;

import dev.spatz.kernel.Gelu;
import dev.spatz.kernel.Tensors;
import dev.spatz.tokenizer.BytePairTokenizer;
import dev.spatz.tokenizer.CharacterTokenizer;
import dev.spatz.transformer.Parameter;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.nd4j.linalg.api.buffer.DataType;

/** Small models and handmade files. */
final class Examples {
  /** Eight characters and the end of text. */
  static final CharacterTokenizer CHARACTERS = CharacterTokenizer.learn(List.of("abc d|é😀"));

  /** The 256 bytes, a few merges and the end of text. */
  static final BytePairTokenizer BYTE_PAIRS =
      BytePairTokenizer.learn(List.of("the theme of the thesis is the ether, ether"), 270);

  static final Provenance PROVENANCE =
      new Provenance(
          "0123456789abcdef".repeat(4),
          1_115_394,
          Map.of("steps", "2000"),
          42,
          1.25,
          1.5,
          null,
          "0.1.0",
          Instant.parse("2026-01-31T12:00:00Z"));

  private Examples() {}

  static TransformerConfig gpt2() {
    return TransformerConfig.gpt2(CHARACTERS.vocabularySize(), 7, 2, 3, 9).withGelu(Gelu.EXACT);
  }

  static TransformerConfig llama() {
    return TransformerConfig.llama(CHARACTERS.vocabularySize(), 7, 2, 4, 8)
        .withKeyValueHeads(2)
        .withFeedForward(11);
  }

  static TransformerConfig qwen2() {
    return TransformerConfig.qwen2(CHARACTERS.vocabularySize(), 7, 2, 4, 8)
        .withKeyValueHeads(2)
        .withFeedForward(11);
  }

  static TransformerConfig qwen3() {
    return TransformerConfig.qwen3(CHARACTERS.vocabularySize(), 7, 2, 4, 8)
        .withKeyValueHeads(2)
        .withHeadSize(6)
        .withFeedForward(11);
  }

  /** As {@link #llama()}, which has two layers. */
  static TransformerConfig threeLayers() {
    return TransformerConfig.llama(CHARACTERS.vocabularySize(), 7, 3, 4, 8);
  }

  /** A model whose every parameter is random, the gaps between them zero as always. */
  static Transformer random(TransformerConfig config, DataType type) {
    Transformer transformer = Transformer.zeros(config, type);
    Random random = new Random(config.hashCode());
    for (Parameter parameter : transformer.parameters().layout().parameters()) {
      float[] values = new float[(int) parameter.size()];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) random.nextGaussian();
      }
      Tensors.write(transformer.parameters().get(parameter.name()), 0, values, 0, values.length);
    }
    return transformer;
  }

  static float[] weights(Transformer transformer) {
    return Tensors.toFloats(transformer.parameters().flat());
  }

  /** Saves a random model. */
  static void save(Path directory, TransformerConfig config) throws IOException {
    try (Transformer transformer = random(config, DataType.FLOAT)) {
      ModelDirectory.save(directory, transformer, CHARACTERS, PROVENANCE);
    }
  }

  /** A safetensors file: the length of the header, the header, and the data. */
  static Path safetensors(Path file, String header, byte... data) throws IOException {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    return safetensors(file, json.length, json, data);
  }

  static Path safetensors(Path file, long length, byte[] header, byte... data) throws IOException {
    ByteBuffer bytes =
        ByteBuffer.allocate(8 + header.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
    return Files.write(file, bytes.putLong(length).put(header).put(data).array());
  }

  /** All values of a tensor. */
  static double[] values(SafetensorsFile file, String name) throws IOException {
    TensorInfo info = Objects.requireNonNull(file.find(name));
    double[] values = new double[(int) info.elements()];
    file.read(info, 0, values, 0, values.length);
    return values;
  }

  /** Replaces a text that occurs in a file. */
  static void edit(Path file, String from, String to) throws IOException {
    String text = Files.readString(file);
    if (!text.contains(from)) {
      throw new IllegalArgumentException(file + " does not contain " + from + ":\n" + text);
    }
    Files.writeString(file, text.replace(from, to));
  }
}
