package dev.spatz.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.kernel.Gelu;
import dev.spatz.kernel.Tensors;
import dev.spatz.tokenizer.BytePairTokenizer;
import dev.spatz.tokenizer.SpecialToken;
import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.transformer.Biases;
import dev.spatz.transformer.RopeScaling;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;

final class GgufFileTest {
  private static final Tokenizer CHARACTERS = Examples.CHARACTERS;

  @TempDir Path directory;

  private static TransformerConfig llama() {
    return TransformerConfig.llama(CHARACTERS.vocabularySize(), 7, 2, 4, 32)
        .withKeyValueHeads(2)
        .withFeedForward(40)
        .withBiases(true);
  }

  private static TransformerConfig gpt2() {
    return TransformerConfig.gpt2(CHARACTERS.vocabularySize(), 7, 2, 2, 32);
  }

  private GgufReader export(TransformerConfig shape, Tokenizer tokenizer, GgufType type)
      throws IOException {
    return export(shape, tokenizer, TextConventions.NONE, type);
  }

  private GgufReader export(
      TransformerConfig shape, Tokenizer tokenizer, TextConventions conventions, GgufType type)
      throws IOException {
    Path file = directory.resolve("model.gguf");
    try (Transformer transformer = Examples.random(shape, DataType.FLOAT)) {
      GgufFile.write(file, transformer, tokenizer, conventions, Examples.PROVENANCE, type);
    }
    try (Stream<Path> files = Files.list(directory)) {
      assertEquals(List.of(file), files.toList()); // nothing is left of writing it
    }
    return GgufReader.read(file);
  }

  private static double[] parameter(TransformerConfig shape, String name) {
    try (Transformer transformer = Examples.random(shape, DataType.FLOAT)) {
      return Tensors.toDoubles(transformer.parameters().get(name));
    }
  }

  @Test
  void llama_hasItsKeys() throws IOException {
    GgufReader file = export(llama(), CHARACTERS, GgufType.F32);
    assertEquals("llama", file.metadata.get("general.architecture"));
    assertEquals(0, file.metadata.get("general.file_type"));
    assertEquals(7, file.metadata.get("llama.context_length"));
    assertEquals(32, file.metadata.get("llama.embedding_length"));
    assertEquals(2, file.metadata.get("llama.block_count"));
    assertEquals(40, file.metadata.get("llama.feed_forward_length"));
    assertEquals(4, file.metadata.get("llama.attention.head_count"));
    assertEquals(2, file.metadata.get("llama.attention.head_count_kv"));
    assertEquals(8, file.metadata.get("llama.rope.dimension_count"));
    assertEquals(10_000f, file.metadata.get("llama.rope.freq_base"));
    assertEquals(
        (float) llama().normEpsilon(), file.metadata.get("llama.attention.layer_norm_rms_epsilon"));
    assertTrue(
        ((String) file.metadata.get("spatz.provenance"))
            .contains(Examples.PROVENANCE.dataDigest()));
  }

  @Test
  void chatTemplates_areWritten_withTheNamesOfTheOthers() throws IOException {
    String key = "tokenizer.chat_template";
    assertFalse(export(llama(), CHARACTERS, GgufType.F32).metadata.containsKey(key));
    TextConventions one = TextConventions.NONE.withChatTemplate("{{ 'ß' }}\n");
    GgufReader file = export(llama(), CHARACTERS, one, GgufType.F32);
    assertEquals("{{ 'ß' }}\n", file.metadata.get(key));
    assertFalse(file.metadata.containsKey(key + "s"));
    TextConventions two =
        new TextConventions(
            Map.of("default", "{{ a }}", "tool-use", "{{ b }}"), null, null, List.of(), null);
    GgufReader other = export(llama(), CHARACTERS, two, GgufType.F32);
    assertEquals("{{ a }}", other.metadata.get(key));
    assertEquals("{{ b }}", other.metadata.get(key + ".tool_use"));
    assertEquals(List.of("tool_use"), other.metadata.get(key + "s"));
  }

  @Test
  void gpt2_hasItsKeysAndTensors() throws IOException {
    TransformerConfig shape = gpt2().withBiases(false).withTiedEmbeddings(false);
    GgufReader file = export(shape, CHARACTERS, GgufType.F32);
    assertEquals("gpt2", file.metadata.get("general.architecture"));
    assertEquals(1e-5f, file.metadata.get("gpt2.attention.layer_norm_epsilon"));
    assertEquals(List.of(32L, 7L), file.tensors.get("position_embd.weight").dimensions());
    assertEquals(List.of(32L, 96L), file.tensors.get("blk.1.attn_qkv.weight").dimensions());
    assertArrayEquals(
        parameter(shape, "layers.1.attention.qkv.weight"), file.values("blk.1.attn_qkv.weight"));
    assertArrayEquals(new double[96], file.values("blk.1.attn_qkv.bias"));
    assertArrayEquals(parameter(shape, "norm.gain"), file.values("output_norm.weight"));
    assertArrayEquals(parameter(shape, "head"), file.values("output.weight"));
    assertEquals(5 + 2 * 12, file.tensors.size());
  }

  @Test
  void llama_hasQueriesAndKeysInterleaved() throws IOException {
    TransformerConfig shape = llama();
    GgufReader file = export(shape, CHARACTERS, GgufType.F32);
    double[] qkv = parameter(shape, "layers.0.attention.qkv.weight");
    double[] bias = parameter(shape, "layers.0.attention.qkv.bias");
    double[] keys = file.values("blk.0.attn_k.weight");
    double[] keyBias = file.values("blk.0.attn_k.bias");
    // Two heads of eight rows after the 32 of the queries: the pairs (j, j + 4) become neighbours.
    int[] order = {0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15};
    for (int row = 0; row < order.length; row++) {
      int ours = 32 + order[row];
      assertEquals(bias[ours], keyBias[row]);
      assertArrayEquals(
          Arrays.copyOfRange(qkv, ours * 32, (ours + 1) * 32),
          Arrays.copyOfRange(keys, row * 32, (row + 1) * 32));
    }
    assertArrayEquals(
        Arrays.copyOfRange(qkv, 48 * 32, 64 * 32), file.values("blk.0.attn_v.weight"));
    assertArrayEquals(Arrays.copyOfRange(qkv, 0, 32), first(file.values("blk.0.attn_q.weight")));
    assertFalse(file.tensors.containsKey("output.weight")); // it is token_embd.weight
  }

  private static double[] first(double[] values) {
    return Arrays.copyOf(values, 32);
  }

  @Test
  void qwen_hasQueriesAndKeysAsOurs() throws IOException {
    TransformerConfig shape =
        TransformerConfig.qwen3(CHARACTERS.vocabularySize(), 7, 2, 4, 32).withHeadSize(16);
    GgufReader file = export(shape, CHARACTERS, GgufType.F32);
    assertEquals("qwen3", file.metadata.get("general.architecture"));
    assertEquals(16, file.metadata.get("qwen3.attention.key_length"));
    double[] qkv = parameter(shape, "layers.0.attention.qkv.weight");
    assertArrayEquals(Arrays.copyOf(qkv, 64 * 32), file.values("blk.0.attn_q.weight"));
    assertArrayEquals(
        parameter(shape, "layers.0.attention.querynorm.gain"),
        file.values("blk.0.attn_q_norm.weight"));
  }

  @Test
  void rotaryScaling_isWritten() throws IOException {
    TransformerConfig linear = llama().withRopeScaling(new RopeScaling.Linear(4));
    GgufReader file = export(linear, CHARACTERS, GgufType.F32);
    assertEquals("linear", file.metadata.get("llama.rope.scaling.type"));
    assertEquals(4f, file.metadata.get("llama.rope.scaling.factor"));
    TransformerConfig llama3 = llama().withRopeScaling(new RopeScaling.Llama3(8, 1, 4, 64));
    // Turns within 64 positions: 10.2, 1.02, 0.1, 0.01; the second is interpolated.
    double[] divisors = export(llama3, CHARACTERS, GgufType.F32).values("rope_freqs.weight");
    double turns = 64 * 0.1 / (2 * Math.PI);
    double kept = (turns - 1) / 3;
    assertArrayEquals(new double[] {1, 1 / ((1 - kept) / 8 + kept), 8, 8}, divisors, 1e-6);
  }

  @Test
  void whatGgufHasNoPlaceFor_isRefused() {
    TransformerConfig qwen3 = TransformerConfig.qwen3(CHARACTERS.vocabularySize(), 7, 1, 1, 32);
    assertRefused(qwen3.withBiases(Biases.ATTENTION), "biases (ATTENTION) cannot be exported");
    assertRefused(
        qwen3.withRopeScaling(new RopeScaling.Llama3(8, 1, 4, 64)), "ropeScaling (Llama3");
    assertRefused(gpt2().withGelu(Gelu.EXACT), "gelu (EXACT) cannot be exported to GGUF");
  }

  private void assertRefused(TransformerConfig shape, String fault) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> export(shape, CHARACTERS, GgufType.F32))
            .getMessage();
    assertTrue(message.startsWith(fault), message);
  }

  @ParameterizedTest
  @EnumSource
  void weights_areWithinTheRoundingOfTheirType(GgufType type) throws IOException {
    TransformerConfig shape = llama();
    GgufReader file = export(shape, CHARACTERS, type);
    assertEquals(type.code(), file.tensors.get("token_embd.weight").type());
    assertEquals(0, file.tensors.get("blk.0.attn_norm.weight").type());
    assertEquals(0, file.tensors.get("blk.0.attn_q.bias").type());
    // Rows of 40 are no whole blocks.
    assertEquals(type == GgufType.F32 ? 0 : 1, file.tensors.get("blk.0.ffn_down.weight").type());
    double[] expected = parameter(shape, "tokens");
    double[] actual = file.values("token_embd.weight");
    for (int row = 0; row < expected.length; row += 32) {
      double largest = 0;
      for (int i = row; i < row + 32; i++) {
        largest = Math.max(largest, Math.abs(expected[i]));
      }
      for (int i = row; i < row + 32; i++) {
        double tolerance =
            switch (type) {
              case F32 -> 0;
              case F16 -> Math.abs(expected[i]) * 0x1p-11;
              case Q8_0 -> largest / 127 * 0.5 + largest * 0x1p-11;
            };
        assertEquals(expected[i], actual[i], tolerance);
      }
    }
  }

  @Test
  void half_isTheNearestNumber() {
    float[] values = {
      0,
      -0f,
      1,
      -2,
      65504,
      0x1p-14f,
      0x1p-24f,
      0x1p-25f,
      0x1.8p-25f,
      1 + 0x1p-11f,
      1 + 0x3p-11f,
      0.1f,
      -65519,
      0x1.ffcp-15f,
      Float.NEGATIVE_INFINITY
    };
    // Made with Python, struct.pack("<e", …).
    int[] expected = {
      0, 0x8000, 0x3C00, 0xC000, 0x7BFF, 0x0400, 0x0001, 0, 0x0001, 0x3C00, 0x3C02, 0x2E66, 0xFBFF,
      0x0400, 0xFC00
    };
    ByteBuffer bytes = ByteBuffer.allocate(2 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    GgufType.F16.put(values, values.length, bytes);
    bytes.flip();
    for (int i = 0; i < values.length; i++) {
      assertEquals(expected[i], bytes.getShort() & 0xFFFF, "of " + values[i]);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F16", "Q8_0"})
  void weightOutsideTheRange_isRefusedAndNothingIsLeft(GgufType type) throws IOException {
    Path file = directory.resolve("model.gguf");
    try (Transformer transformer = Examples.random(llama(), DataType.FLOAT)) {
      Tensors.put(transformer.parameters().get("tokens"), 5, type == GgufType.F16 ? 1e6 : 1e9);
      String message =
          assertThrows(
                  IllegalArgumentException.class,
                  () ->
                      GgufFile.write(
                          file, transformer, CHARACTERS, TextConventions.NONE, null, type))
              .getMessage();
      assertTrue(message.contains("token_embd.weight; export as F32"), message);
    }
    try (Stream<Path> files = Files.list(directory)) {
      assertEquals(0, files.count());
    }
  }

  @Test
  void bytePairs_haveTheirTokensAndMerges() throws IOException {
    BytePairTokenizer tokenizer = Examples.BYTE_PAIRS.withBeginOfText();
    int ids = tokenizer.vocabularySize();
    GgufReader file =
        export(TransformerConfig.llama(ids + 2, 7, 1, 1, 32), tokenizer, GgufType.F32);
    assertEquals("gpt2", file.metadata.get("tokenizer.ggml.model"));
    assertEquals("gpt-2", file.metadata.get("tokenizer.ggml.pre"));
    List<?> tokens = (List<?>) file.metadata.get("tokenizer.ggml.tokens");
    List<?> types = (List<?>) file.metadata.get("tokenizer.ggml.token_type");
    assertEquals(ids + 2, tokens.size());
    assertEquals("[PAD" + (ids + 1) + "]", tokens.get(ids + 1));
    assertEquals(5, types.get(ids + 1));
    assertEquals("<|endoftext|>", tokens.get(tokenizer.endOfText()));
    assertEquals(3, types.get(tokenizer.endOfText()));
    assertEquals(tokenizer.endOfText(), file.metadata.get("tokenizer.ggml.eos_token_id"));
    assertEquals(true, file.metadata.get("tokenizer.ggml.add_bos_token"));
    List<?> merges = (List<?>) file.metadata.get("tokenizer.ggml.merges");
    assertEquals(tokenizer.merges().size(), merges.size());
    for (Object merge : merges) {
      assertTrue(tokens.contains(((String) merge).replace(" ", "")), merge.toString());
    }
  }

  @Test
  void characters_comeOutOfTheMerges() throws IOException {
    GgufReader file = export(llama(), CHARACTERS, GgufType.F32);
    List<?> tokens = (List<?>) file.metadata.get("tokenizer.ggml.tokens");
    List<?> merges = (List<?>) file.metadata.get("tokenizer.ggml.merges");
    Random random = new Random(1);
    for (int trial = 0; trial < 200; trial++) {
      int[] ids = random.ints(12, 0, CHARACTERS.endOfText()).toArray();
      String text = CHARACTERS.decode(ids);
      List<String> symbols = new ArrayList<>();
      for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
        symbols.add(dev.spatz.tokenizer.ByteLevel.toCharacters(b));
      }
      for (Object merge : merges) { // by rank; none makes an earlier one possible again
        String[] parts = ((String) merge).split(" ");
        for (int i = 0; i + 1 < symbols.size(); i++) {
          if (symbols.get(i).equals(parts[0]) && symbols.get(i + 1).equals(parts[1])) {
            symbols.set(i, parts[0] + parts[1]);
            symbols.remove(i + 1);
          }
        }
      }
      assertArrayEquals(ids, symbols.stream().mapToInt(tokens::indexOf).toArray(), text);
    }
  }

  @Test
  void specialTokenSpelledAsAnother_isRefused() {
    List<byte[]> vocabulary = new ArrayList<>();
    for (int b = 0; b < 256; b++) {
      vocabulary.add(new byte[] {(byte) b});
    }
    BytePairTokenizer tokenizer =
        BytePairTokenizer.of(
            vocabulary,
            List.of(),
            List.of(new SpecialToken("Ġ", 256), new SpecialToken("<|endoftext|>", 257)));
    TransformerConfig shape = TransformerConfig.llama(258, 7, 1, 1, 32);
    String message =
        assertThrows(IllegalArgumentException.class, () -> export(shape, tokenizer, GgufType.F32))
            .getMessage();
    assertTrue(message.contains("another token is spelled the same"), message);
  }

  @Test
  void earlierFile_isReplaced_otherFilesAreNot() throws IOException {
    export(llama(), CHARACTERS, GgufType.F32);
    GgufReader second = export(gpt2(), CHARACTERS, GgufType.F16);
    assertEquals("gpt2", second.metadata.get("general.architecture"));
    Path file = Files.writeString(directory.resolve("model.gguf"), "my diary");
    assertThrows(FileAlreadyExistsException.class, () -> export(llama(), CHARACTERS, GgufType.F32));
    assertEquals("my diary", Files.readString(file));
  }

  @Test
  void brokenFiles_areSeenByTheReader() throws IOException {
    export(llama(), CHARACTERS, GgufType.Q8_0);
    byte[] good = Files.readAllBytes(directory.resolve("model.gguf"));
    for (int length = 0; length < good.length; length += 97) {
      byte[] cut = Arrays.copyOf(good, length);
      assertThrows(IOException.class, () -> GgufReader.read(cut));
    }
    assertThrows(IOException.class, () -> GgufReader.read(Arrays.copyOf(good, good.length + 32)));
    Random random = new Random(1);
    for (int trial = 0; trial < 2000; trial++) {
      byte[] flipped = good.clone();
      flipped[random.nextInt(3000)] ^= (byte) (1 << random.nextInt(8));
      try {
        GgufReader.read(flipped); // a flipped value may be as good as before
      } catch (IOException e) {
        assertTrue(e.getMessage() != null);
      }
    }
  }

  /** Changes of a good file; places are given relative to the end of a name in it. */
  static Stream<Arguments> breaks() {
    String tensor = "blk.0.attn_q.weight";
    String key = "llama.block_count";
    return Stream.of(
        Arguments.of("GGUF", -1, 'f', "magic"),
        Arguments.of("GGUF", 0, 2, "version"),
        Arguments.of("GGUF", 10, 1, "count"), // of tensors
        Arguments.of("GGUF", 18, 1, "count"), // of keys
        Arguments.of(key, 0, 13, "type 13"),
        Arguments.of(key, -3, ' ', "key llama.block_co nt"),
        Arguments.of(key, -key.length() - 2, 1, "count"), // of the key's bytes
        Arguments.of("tokenizer.ggml.tokens", 4, 9, "array of arrays"),
        Arguments.of("tokenizer.ggml.tokens", 12, 1, "count"), // of the array's elements
        Arguments.of("tokenizer.ggml.add_bos_token", 4, 2, "bool 2"),
        Arguments.of("general.alignment", 4, 12, "alignment 12"),
        Arguments.of("general.architecture", 12, 0xFF, "no UTF-8"),
        Arguments.of("blk.1.attn_q.weight", -15, '0', "tensor twice: " + tensor),
        Arguments.of(tensor, 0, 5, "rank 5"),
        Arguments.of(tensor, 4, 0, "dimension 0"),
        Arguments.of(tensor, 4, 33, "rows are not whole blocks"),
        Arguments.of(tensor, 20, 2, "type 2"),
        Arguments.of(tensor, 24, 8, "offset of " + tensor),
        Arguments.of(tensor, 25, 64, "hole or overlap before " + tensor));
  }

  @ParameterizedTest
  @MethodSource("breaks")
  void brokenRule_isSeenByTheReader(String after, int place, int value, String fault)
      throws IOException {
    export(llama(), CHARACTERS, GgufType.Q8_0);
    byte[] bytes = Files.readAllBytes(directory.resolve("model.gguf"));
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    bytes[text.indexOf(after) + after.length() + place] = (byte) value;
    String message = assertThrows(IOException.class, () -> GgufReader.read(bytes)).getMessage();
    assertTrue(message.startsWith(fault), message);
  }
}
