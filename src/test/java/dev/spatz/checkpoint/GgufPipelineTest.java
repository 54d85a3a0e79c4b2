package dev.spatz.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.spatz.SharedData;
import dev.spatz.tokenizer.PipelineTokenizer;
import dev.spatz.tokenizer.SplitPattern;
import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;

/** Tokenizers of others, as GGUF files describe them; llama.cpp itself judges in src/it/interop. */
class GgufPipelineTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String BYTE_LEVEL =
      "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":%s}";
  private static final Map<String, String> SPLITS =
      Map.of(
          "gpt2", split(SplitPattern.GPT2, false),
          "llama3", split(SplitPattern.LLAMA3, false),
          "qwen2", split(SplitPattern.QWEN2, false),
          "digits", split("\\p{N}", true),
          "words", split("\\w+", false),
          "prefix", "{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"use_regex\":true}");

  @TempDir Path directory;
  private ObjectNode json;

  private static String split(String expression, boolean useRegex) {
    ObjectNode split = JSON.createObjectNode().put("type", "Split");
    split.putObject("pattern").put("Regex", expression);
    split.put("behavior", "Isolated").put("invert", false);
    return "{\"type\":\"Sequence\",\"pretokenizers\":[%s,%s]}"
        .formatted(split, BYTE_LEVEL.formatted(useRegex));
  }

  @BeforeEach
  void writeBytePairs() throws IOException {
    TokenizerFiles.write(directory, Examples.BYTE_PAIRS, 64);
    json = (ObjectNode) JSON.readTree(directory.resolve("tokenizer.json").toFile());
  }

  @ParameterizedTest
  @CsvSource({
    "gpt2,false,gpt-2",
    "gpt2,true,gpt-2", // the merges make every token, so that it changes nothing
    "llama3,false,dbrx",
    "llama3,true,llama-bpe",
    "qwen2,false,qwen2",
    "digits,false,smollm"
  })
  void byteLevel_isNamedByItsSplitting(String split, boolean ignoreMerges, String name)
      throws IOException {
    json.set("pre_tokenizer", JSON.readTree(SPLITS.get(split)));
    model().put("ignore_merges", ignoreMerges);
    GgufReader file = export();
    assertEquals("gpt2", file.metadata.get("tokenizer.ggml.model"));
    assertEquals(name, file.metadata.get("tokenizer.ggml.pre"));
    assertEquals(
        Examples.BYTE_PAIRS.merges().size(),
        ((List<?>) file.metadata.get("tokenizer.ggml.merges")).size());
    List<?> tokens = (List<?>) file.metadata.get("tokenizer.ggml.tokens");
    assertEquals("he", tokens.get(257));
    assertFalse(file.metadata.containsKey("tokenizer.ggml.scores"));
  }

  @Test
  void addedTokens_haveTheirTypes() throws IOException {
    json.withArray("added_tokens")
        .addObject()
        .put("id", Examples.BYTE_PAIRS.vocabularySize())
        .put("content", "<tool>")
        .put("special", false);
    json.putObject("normalizer").put("type", "NFC"); // as Qwen 2 has it; logged, not refused
    GgufReader file = export();
    List<?> types = (List<?>) file.metadata.get("tokenizer.ggml.token_type");
    assertEquals(3, types.get(0));
    assertEquals(1, types.get(1));
    assertEquals(4, types.get(Examples.BYTE_PAIRS.vocabularySize()));
  }

  @Test
  void llama2s_hasScoresThatGiveItsIds() throws IOException {
    json = stories260K();
    GgufReader file = export();
    assertEquals("llama", file.metadata.get("tokenizer.ggml.model"));
    assertEquals(true, file.metadata.get("tokenizer.ggml.add_space_prefix"));
    assertEquals(true, file.metadata.get("tokenizer.ggml.add_bos_token"));
    assertEquals(1, file.metadata.get("tokenizer.ggml.bos_token_id"));
    assertEquals(2, file.metadata.get("tokenizer.ggml.eos_token_id"));
    assertEquals(0, file.metadata.get("tokenizer.ggml.unknown_token_id"));
    List<?> types = (List<?>) file.metadata.get("tokenizer.ggml.token_type");
    assertEquals(List.of(2, 3, 3, 6), types.subList(0, 4));
    assertEquals(6, types.get(258));
    assertEquals(1, types.get(259));
    Tokenizer tokenizer = read();
    SentencePiece judge = new SentencePiece(file);
    JsonNode examples = JSON.readTree(getClass().getResourceAsStream("llama2-ids.json"));
    assertTrue(examples.size() > 100);
    for (JsonNode example : examples) {
      String text = example.get("text").textValue();
      if (!text.isEmpty()) { // before which no space is put
        assertArrayEquals(tokenizer.encode(text), judge.encode(text), text);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "words,llama.cpp has no name for its normalizer and pre-tokenizer",
    "prefix,llama.cpp has no name for its normalizer and pre-tokenizer"
  })
  void splitting_thatLlamaCppHasNot_isRefused(String split, String fault) throws IOException {
    json.set("pre_tokenizer", JSON.readTree(SPLITS.get(split)));
    assertRefused(fault);
  }

  @Test
  void wholeTokensBeforeMerges_thatChangeIds_areRefused() throws IOException {
    json.set("pre_tokenizer", JSON.readTree(SPLITS.get("qwen2")));
    model()
        .put("ignore_merges", true)
        .withObject("/vocab")
        .put("zzz", Examples.BYTE_PAIRS.vocabularySize());
    assertRefused("it has ignore_merges");
  }

  @Test
  void normalizer_orToken_thatLlamaCppHasNot_isRefused() throws IOException {
    json.set("pre_tokenizer", JSON.readTree(SPLITS.get("llama3")));
    ((ObjectNode) json.get("added_tokens").get(0)).put("rstrip", true);
    assertRefused("its token <|endoftext|> has lstrip, rstrip or single_word");
    ((ObjectNode) json.get("added_tokens").get(0)).put("rstrip", false);
    json.putObject("normalizer").put("type", "Lowercase");
    assertRefused("llama.cpp does not normalize text");
  }

  @Test
  void words_areRefused() throws IOException {
    json.set("pre_tokenizer", JSON.readTree("{\"type\":\"WhitespaceSplit\"}"));
    json.set(
        "model",
        JSON.readTree("{\"type\":\"WordLevel\",\"vocab\":{\"<|endoftext|>\":0,\"a\":1,\"b\":2}}"));
    assertRefused("its tokens are words");
  }

  @Test
  void sentencePiece_thatGivesOtherIds_isRefused() throws IOException {
    assertLlama2Refused(
        json -> json.withObject("/model").withArray("merges").remove(6), "llama.cpp would merge");
    assertLlama2Refused(
        json -> {
          var merges = json.withObject("/model").withArray("merges");
          merges.insert(0, merges.remove(7)); // the second way to a token goes before all
        },
        "do not stand together");
    assertLlama2Refused(
        json -> json.withObject("/model").put("byte_fallback", false), "(byte_fallback)");
    assertLlama2Refused(json -> json.putNull("decoder"), "its decoder gives token");
    assertLlama2Refused(
        json -> {
          json.putNull("normalizer");
          json.putObject("pre_tokenizer")
              .put("type", "Metaspace")
              .put("replacement", "\u2581")
              .put("prepend_scheme", "first")
              .put("split", false);
        },
        "its Metaspace puts no space before a text that begins with one");
  }

  private void assertLlama2Refused(Consumer<ObjectNode> change, String fault) throws IOException {
    json = stories260K();
    change.accept(json);
    assertRefused(fault);
  }

  private void assertRefused(String fault) {
    String message = assertThrows(IllegalArgumentException.class, this::export).getMessage();
    assertTrue(message.startsWith("tokenizer ") && message.contains(fault), message);
  }

  private ObjectNode stories260K() throws IOException {
    Path file = SharedData.path("stories260K").resolve("tokenizer.json");
    Files.writeString(directory.resolve("tokenizer_config.json"), "{\"eos_token\":\"</s>\"}");
    return (ObjectNode) JSON.readTree(file.toFile());
  }

  private ObjectNode model() {
    return json.withObject("/model");
  }

  private Tokenizer read() throws IOException {
    JSON.writeValue(directory.resolve("tokenizer.json").toFile(), json);
    Path config = Files.writeString(directory.resolve("config.json"), "{}");
    return TokenizerFiles.read(directory, JsonObject.read(config, JsonObject.SETTINGS_BYTES));
  }

  private GgufReader export() throws IOException {
    Tokenizer read = read();
    if (!(read instanceof PipelineTokenizer)) { // the fast one of the same ids
      ((ObjectNode) json.get("added_tokens").get(0)).put("special", true);
      JsonObject whole =
          JsonObject.read(directory.resolve("tokenizer.json"), JsonObject.LARGEST_BYTES);
      read = PipelineFile.read(whole, "<|endoftext|>", read.beginOfText(), false);
    }
    PipelineTokenizer tokenizer = assertInstanceOf(PipelineTokenizer.class, read);
    Path file = directory.resolve("model.gguf");
    TransformerConfig shape = TransformerConfig.llama(tokenizer.vocabularySize() + 1, 7, 1, 1, 8);
    try (Transformer transformer = Examples.random(shape, DataType.FLOAT)) {
      GgufFile.write(file, transformer, tokenizer, TextConventions.NONE, null, GgufType.F32);
    }
    return GgufReader.read(file);
  }

  /** SentencePiece's way from a GGUF file's scores to ids, written down from its description. */
  private static final class SentencePiece {
    private final Map<String, Integer> ids = new HashMap<>();
    private final List<?> scores;

    SentencePiece(GgufReader file) {
      List<?> tokens = (List<?>) file.metadata.get("tokenizer.ggml.tokens");
      tokens.forEach(token -> ids.put((String) token, ids.size()));
      scores = (List<?>) file.metadata.get("tokenizer.ggml.scores");
      assertEquals(tokens.size(), scores.size());
    }

    int[] encode(String text) {
      List<String> symbols = new ArrayList<>();
      (" " + text)
          .replace(' ', '\u2581')
          .codePoints()
          .forEach(c -> symbols.add(Character.toString(c)));
      while (true) {
        int best = -1;
        float bestScore = Float.NEGATIVE_INFINITY;
        for (int i = 0; i + 1 < symbols.size(); i++) {
          Integer id = ids.get(symbols.get(i) + symbols.get(i + 1));
          if (id != null && (Float) scores.get(id) > bestScore) {
            best = i;
            bestScore = (Float) scores.get(id);
          }
        }
        if (best < 0) {
          return symbols.stream().flatMapToInt(s -> ids(s).stream().mapToInt(i -> i)).toArray();
        }
        symbols.set(best, symbols.get(best) + symbols.remove(best + 1));
      }
    }

    private List<Integer> ids(String symbol) {
      if (ids.containsKey(symbol)) {
        return List.of(ids.get(symbol));
      }
      List<Integer> bytes = new ArrayList<>();
      for (byte b : GgufTokenizer.utf8(symbol)) {
        bytes.add(ids.get("<0x%02X>".formatted(b)));
      }
      return bytes;
    }
  }
}
