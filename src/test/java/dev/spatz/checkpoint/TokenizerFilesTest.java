package dev.spatz.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.Encoding;
import com.knuddels.jtokkit.api.EncodingType;
import dev.spatz.SharedData;
import dev.spatz.tokenizer.BytePairTokenizer;
import dev.spatz.tokenizer.BytePairTrainer;
import dev.spatz.tokenizer.CharacterTokenizer;
import dev.spatz.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The form of the files is that of Hugging Face's tokenizers library. */
class TokenizerFilesTest {
  private static final String TEXT = "The ether's  thesis:\n\t42 naïve 😀 <|endoftext|>";

  private final ObjectMapper mapper = new ObjectMapper();

  @TempDir Path directory;

  // ---- byte pairs ----

  @Test
  void bytePairs_writtenAndRead_areEqual() throws IOException {
    BytePairTokenizer read =
        assertInstanceOf(BytePairTokenizer.class, writeAndRead(Examples.BYTE_PAIRS));
    assertSame(Examples.BYTE_PAIRS, read);
    assertArrayEquals(Examples.BYTE_PAIRS.encode(TEXT), read.encode(TEXT));
  }

  @Test
  void bytePairs_withSeveralSpecialTokens_areEqual() throws IOException {
    BytePairTrainer trainer = new BytePairTrainer();
    trainer.add("the theme of the thesis");
    BytePairTokenizer tokenizer = trainer.train(265, List.of("<end>", "<|user|>", "<|endoftext|>"));
    BytePairTokenizer read = assertInstanceOf(BytePairTokenizer.class, writeAndRead(tokenizer));
    assertSame(tokenizer, read);
    assertEquals(0, read.endOfText());
  }

  @Test
  void bytePairs_written_haveTheLibrarysForm() throws IOException {
    TokenizerFiles.write(directory, Examples.BYTE_PAIRS, 64);
    JsonNode json = tokenizerJson();
    assertEquals(
        List.of(
            "version",
            "truncation",
            "padding",
            "added_tokens",
            "normalizer",
            "pre_tokenizer",
            "post_processor",
            "decoder",
            "model"),
        fieldNames(json));
    assertEquals(
        mapper.readTree(
            """
            {"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}"""),
        json.get("pre_tokenizer"));
    assertEquals(
        mapper.readTree(
            """
            [{"id":0,"content":"<|endoftext|>","single_word":false,"lstrip":false,"rstrip":false,
              "normalized":false,"special":true}]"""),
        json.get("added_tokens"));
    JsonNode model = json.get("model");
    assertEquals(0, model.get("vocab").get("<|endoftext|>").intValue());
    assertEquals(1, model.get("vocab").get("!").intValue());
    assertEquals(257, model.get("vocab").get("he").intValue());
    assertEquals(mapper.readTree("[\"h\",\"e\"]"), model.get("merges").get(0));
    JsonNode config = mapper.readTree(directory.resolve("tokenizer_config.json").toFile());
    assertEquals("<|endoftext|>", config.get("eos_token").textValue());
    assertEquals(64, config.get("model_max_length").intValue());
  }

  @Test
  void beginOfText_isWrittenAsATemplateAndReadAgain() throws IOException {
    TokenizerFiles.write(directory, Examples.BYTE_PAIRS.withBeginOfText(), 64);
    assertEquals(
        mapper.readTree(
            """
            {"type":"TemplateProcessing",
             "single":[{"SpecialToken":{"id":"<|endoftext|>","type_id":0}},
                       {"Sequence":{"id":"A","type_id":0}}],
             "pair":[{"SpecialToken":{"id":"<|endoftext|>","type_id":0}},
                     {"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"B","type_id":0}}],
             "special_tokens":{"<|endoftext|>":{"id":"<|endoftext|>","ids":[0],
                                                "tokens":["<|endoftext|>"]}}}"""),
        tokenizerJson().get("post_processor"));
    assertEquals(OptionalInt.of(0), read("{}").beginOfText());
    Tokenizer characters = CharacterTokenizer.of('a', 'b').withBeginOfText();
    assertEquals(OptionalInt.of(2), writeAndRead(characters).beginOfText());
    assertEquals(OptionalInt.empty(), writeAndRead(CharacterTokenizer.of('a')).beginOfText());
  }

  @Test
  void gpt2_inItsOriginalForm_givesTheIdsOfAnotherLibrary() throws IOException {
    writeGpt2();
    Tokenizer tokenizer = read("{\"eos_token_id\":50256}");
    Encoding judge = Encodings.newDefaultEncodingRegistry().getEncoding(EncodingType.R50K_BASE);
    assertEquals(50_257, tokenizer.vocabularySize());
    assertEquals(50_256, tokenizer.endOfText());
    assertArrayEquals(judge.encodeOrdinary(TEXT).toArray(), tokenizer.encode(TEXT));
    assertSame((BytePairTokenizer) tokenizer, (BytePairTokenizer) writeAndRead(tokenizer));
  }

  /** As the file of the model "gpt2": merges as text, no type, fields left out. */
  private void writeGpt2() throws IOException {
    Path data = SharedData.path("gpt2");
    ObjectNode json = mapper.createObjectNode().put("version", "1.0");
    json.putNull("truncation").putNull("padding").putNull("normalizer");
    json.putArray("added_tokens")
        .addObject()
        .put("id", 50_256)
        .put("special", true)
        .put("content", "<|endoftext|>")
        .put("normalized", true);
    json.putObject("pre_tokenizer")
        .put("type", "ByteLevel")
        .put("add_prefix_space", false)
        .put("trim_offsets", true);
    json.putObject("post_processor").put("type", "ByteLevel").put("add_prefix_space", true);
    json.putObject("decoder").put("type", "ByteLevel").put("add_prefix_space", true);
    ObjectNode model = json.putObject("model");
    model.putNull("dropout").putNull("unk_token").put("continuing_subword_prefix", "");
    model.put("end_of_word_suffix", "").put("fuse_unk", false);
    model.set("vocab", mapper.readTree(data.resolve("encoder.json").toFile()));
    ArrayNode merges = model.putArray("merges");
    List<String> lines = Files.readAllLines(data.resolve("vocab.bpe"));
    lines.subList(1, lines.size()).forEach(merges::add);
    mapper.writeValue(directory.resolve("tokenizer.json").toFile(), json);
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '§',
      delimiter = '→',
      value = {
        "\"version\": \"1.0\" → \"version\": \"2.0\" → version is \"2.0\"",
        "\"truncation\": null → \"truncation\": {} → truncation is {}",
        "\"padding\": null → \"padding\": {} → padding is {}",
        "\"post_processor\": { → \"post_processor\": {\"type\": \"TemplateProcessing\"}, \"x\": { → post_processor.single is absent",
        "\"normalizer\": null → \"normalizer\": {\"type\": \"X\"} → normalizer.type is \"X\"",
        "\"pre_tokenizer\": { → \"pre_tokenizer\": {\"type\": \"X\"}, \"x\": { → pre_tokenizer.type is \"X\"",
        "\"pre_tokenizer\": { → \"pre_tokenizer\": {\"type\":\"Split\",\"pattern\":{\"Regex\":\"(\"}}, \"x\": { → pre_tokenizer.pattern.Regex is",
        "\"decoder\": { → \"decoder\": {\"type\": \"X\"}, \"x\": { → decoder.type is \"X\"",
        "\"type\": \"BPE\" → \"type\": \"WordPiece\" → model.type is \"WordPiece\"",
        "\"dropout\": null → \"dropout\": 0.1 → model.dropout is 0.1",
        "\"continuing_subword_prefix\": null → \"continuing_subword_prefix\": \"##\" → model.continuing_subword_prefix is \"##\"",
        "\"end_of_word_suffix\": null → \"end_of_word_suffix\": \"</w>\" → model.end_of_word_suffix is \"</w>\"",
        "\"special\": true → \"special\": false → the token that ends a text",
        "\"id\": 0 → \"id\": 5 → model.vocab.<|endoftext|> is 0",
        "\"id\": 0 → \"id\": -1 → added_tokens[0].id is -1",
        "\"content\": \"<|endoftext|>\" → \"content\": \"\" → added_tokens[0].id is 0",
        "\"content\": \"<|endoftext|>\" → \"content\": \"!\" → model.vocab.! is 1",
        "\"added_tokens\": [ → \"added_tokens\": 1, \"x\": [ → added_tokens is 1",
        "\"vocab\": { → \"x\": { → model.vocab is absent",
        "\"merges\": [ → \"x\": [ → model.merges is absent",
        "[ \"h\", \"e\" ] → [ \"h\", \"eh\" ] → model.merges[0] is [\"h\",\"eh\"]",
        "[ \"h\", \"e\" ] → [ \"h\", \"e\", \"e\" ] → model.merges[0] is [\"h\",\"e\",\"e\"]",
        "[ \"h\", \"e\" ] → [ ] → model.merges[0] is []",
        "[ \"h\", \"e\" ] → 7 → model.merges[0] is 7",
        "[ \"h\", \"e\" ] → \"h e x\" → model.merges[0] is \"h e x\"",
        "[ \"h\", \"e\" ] → [ \"h\", \"h\" ] → merge 0 joins",
        "\"!\": 1, → \"\\u2581\": 1, → U+2581",
        "\"!\": 1, → \"!!!\": 1, → byte 0x21",
        "\"!\": 1, → \"!\": 2, → model.vocab.",
        "\"!\": 1, → \"!\": -1, → model.vocab.! is -1",
        "\"!\": 1, → \"!\": 2000000000, → model.vocab.! is 2000000000",
        "\"!\": 1, → \"!\": \"1\", → model.vocab.! is \"1\""
      })
  void bytePairs_ofAnotherKind_areRefused(String from, String to, String fault) throws IOException {
    TokenizerFiles.write(directory, Examples.BYTE_PAIRS, 64);
    assertRefused(from, to, fault);
  }

  @Test
  void specialToken_spelledAsAnother_isRefused() {
    BytePairTrainer trainer = new BytePairTrainer();
    BytePairTokenizer tokenizer = trainer.train(257, List.of("Ġ"));
    assertThrows(
        IllegalArgumentException.class, () -> TokenizerFiles.write(directory, tokenizer, 64));
  }

  // ---- characters ----

  @Test
  void characters_writtenAndRead_areEqual() throws IOException {
    CharacterTokenizer read =
        assertInstanceOf(CharacterTokenizer.class, writeAndRead(Examples.CHARACTERS));
    assertEquals(Examples.CHARACTERS.vocabulary(), read.vocabulary());
    assertArrayEquals(Examples.CHARACTERS.encode("é😀a"), read.encode("é😀a"));
  }

  @Test
  void characters_written_haveTheLibrarysForm() throws IOException {
    TokenizerFiles.write(directory, CharacterTokenizer.of('b', 'a', 0x1F600), 64);
    JsonNode json = tokenizerJson();
    assertTrue(json.get("pre_tokenizer").isNull());
    assertEquals(mapper.readTree("{\"type\":\"Fuse\"}"), json.get("decoder"));
    assertEquals(
        mapper.readTree("{\"a\":0,\"b\":1,\"😀\":2,\"<|endoftext|>\":3}"),
        json.get("model").get("vocab"));
    assertEquals(0, json.get("model").get("merges").size());
    assertEquals(3, json.get("added_tokens").get(0).get("id").intValue());
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '§',
      delimiter = '→',
      value = {
        "\"post_processor\": null → \"post_processor\": {} → post_processor.type is absent",
        "\"merges\": [ ] → \"merges\": [ [ \"a\", \"b\" ] ] → merge 0 makes 'ab'",
        "\"a\": 1 → \"aa\": 1 → id 1 is not one character",
        "\"a\": 1 → \"\": 1 → id 1 is not one character",
        "\"a\": 1 → \"z\": 1 → in the order of their code points",
        "\"a\": 1 → \"\\ud800\": 1 → U+D800",
        "<|endoftext|> → <end> → <|endoftext|>"
      })
  void characters_ofAnotherKind_areRefused(String from, String to, String fault)
      throws IOException {
    TokenizerFiles.write(directory, Examples.CHARACTERS, 64);
    assertRefused(from, to, fault);
  }

  // ---- the end of a text ----

  @Test
  void endOfText_isTheFirstThatIsSaid() throws IOException {
    BytePairTokenizer tokenizer =
        new BytePairTrainer().train(258, List.of("<|endoftext|>", "<end>"));
    TokenizerFiles.write(directory, tokenizer, 64);
    Path settings = directory.resolve("tokenizer_config.json");
    assertEquals(1, read("{\"eos_token_id\":1}").endOfText());
    assertEquals(1, read("{\"eos_token_id\":[1]}").endOfText());
    assertEquals(0, read("{}").endOfText());
    Files.writeString(settings, "{\"eos_token\":\"<end>\"}");
    assertEquals(1, read("{}").endOfText());
    Files.writeString(settings, "{\"eos_token\":{\"content\":\"<end>\"}}");
    assertEquals(1, read("{}").endOfText());
    Files.delete(settings);
    assertEquals(0, read("{}").endOfText());
    Files.writeString(directory.resolve("generation_config.json"), "{\"eos_token_id\":1}");
    assertEquals(1, read("{\"eos_token_id\":0}").endOfText());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '→',
      value = {"[0,\"b\"] → eos_token_id is [0,\"b\"]", "7 → id 7, must be among them"})
  void endOfText_notOneSpecialToken_isRefused(String id, String fault) throws IOException {
    TokenizerFiles.write(directory, Examples.BYTE_PAIRS, 64);
    InvalidFileException e =
        assertThrows(InvalidFileException.class, () -> read("{\"eos_token_id\":" + id + "}"));
    assertTrue(e.fault().contains(fault), e.fault());
  }

  @Test
  void tokenizerJson_absent_isRefused() {
    InvalidFileException e = assertThrows(InvalidFileException.class, () -> read("{}"));
    assertTrue(e.getMessage().contains("tokenizer.json: there is no such file"), e.getMessage());
  }

  private void assertRefused(String from, String to, String fault) throws IOException {
    Path file = directory.resolve("tokenizer.json");
    Examples.edit(file, from, to);
    InvalidFileException e = assertThrows(InvalidFileException.class, () -> read("{}"));
    assertTrue(e.getMessage().startsWith(file + ": "), e.getMessage());
    assertTrue(e.fault().contains(fault), e.fault());
  }

  private static void assertSame(BytePairTokenizer expected, BytePairTokenizer actual) {
    assertEquals(expected.vocabularySize(), actual.vocabularySize());
    for (int id = 0; id < expected.vocabularySize(); id++) {
      assertArrayEquals(expected.tokenBytes(id), actual.tokenBytes(id));
    }
    assertEquals(expected.merges(), actual.merges());
    assertEquals(expected.specialTokens(), actual.specialTokens());
    assertEquals(expected.endOfText(), actual.endOfText());
  }

  private JsonNode tokenizerJson() throws IOException {
    return mapper.readTree(directory.resolve("tokenizer.json").toFile());
  }

  private static List<String> fieldNames(JsonNode json) {
    List<String> names = new ArrayList<>();
    json.fieldNames().forEachRemaining(names::add);
    return names;
  }

  /** Reads the directory's tokenizer beside a config.json of this text. */
  private Tokenizer read(String config) throws IOException {
    Path file = Files.writeString(directory.resolve("config.json"), config);
    return TokenizerFiles.read(directory, JsonObject.read(file, JsonObject.SETTINGS_BYTES));
  }

  private Tokenizer writeAndRead(Tokenizer tokenizer) throws IOException {
    TokenizerFiles.write(directory, tokenizer, 64);
    return read("{\"eos_token_id\":" + tokenizer.endOfText() + "}");
  }
}
