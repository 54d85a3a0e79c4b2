package dev.spatz.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.SharedData;
import dev.spatz.tokenizer.BytePairTokenizer;
import dev.spatz.tokenizer.BytePairTrainer;
import dev.spatz.tokenizer.CharacterTokenizer;
import dev.spatz.tokenizer.PipelineTokenizer;
import dev.spatz.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What transformers' {@code LlamaTokenizerFast} makes of the flags, and where they contradict. */
class TokenizerFlagsTest {
  private static final String LLAMA = "\"tokenizer_class\":\"LlamaTokenizerFast\",";

  private final BytePairTokenizer bytePairs =
      new BytePairTrainer().train(270, List.of("<|endoftext|>", "<s>"));

  @TempDir Path directory;

  @Test
  void beginOfText_asked_isTheNamedToken() throws IOException {
    TokenizerFiles.write(directory, bytePairs, 64);
    settings("{\"add_bos_token\":true,\"bos_token\":\"<s>\"}");
    Tokenizer tokenizer = assertInstanceOf(PipelineTokenizer.class, read());
    assertEquals(OptionalInt.of(1), tokenizer.beginOfText());
    assertArrayEquals(bytePairs.encode("the <s> "), tokenizer.encode("the <s> "));
    settings("{\"add_bos_token\":true,\"bos_token\":{\"content\":\"<|endoftext|>\"}}");
    assertEquals(
        OptionalInt.of(0), assertInstanceOf(BytePairTokenizer.class, read()).beginOfText());
    settings("{\"add_bos_token\":false,\"add_eos_token\":false,\"bos_token\":\"<s>\"}");
    assertEquals(OptionalInt.empty(), read().beginOfText());
  }

  @Test
  void beginOfText_isKeptWhenSavedAndLoaded() throws IOException {
    TokenizerFiles.write(directory, bytePairs, 64);
    settings("{\"add_bos_token\":true,\"bos_token\":\"<s>\"}");
    TokenizerFiles.write(directory, read(), 64);
    assertTrue(
        Files.readString(directory.resolve("tokenizer_config.json"))
            .contains("\"bos_token\": \"<s>\""));
    assertEquals(OptionalInt.of(1), read().beginOfText());
  }

  @Test
  void template_andFlagThatAgrees_areRead() throws IOException {
    TokenizerFiles.write(directory, bytePairs.withBeginOfText(), 64);
    settings("{\"add_bos_token\":true,\"bos_token\":\"<|endoftext|>\"}");
    assertEquals(OptionalInt.of(0), read().beginOfText());
    settings("{\"bos_token\":\"<|endoftext|>\"}");
    assertEquals(OptionalInt.of(0), read().beginOfText());
  }

  @Test
  void llamasClasses_followTheFlag() throws IOException {
    TokenizerFiles.write(directory, bytePairs.withBeginOfText(), 64);
    settings("{" + LLAMA + "\"add_bos_token\":true}"); // <s> is their default
    assertEquals(OptionalInt.of(1), read().beginOfText());
    settings("{" + LLAMA + "\"add_bos_token\":false}");
    assertEquals(OptionalInt.empty(), read().beginOfText());
  }

  @Test
  void llama2sOwnFlags_areRead() throws IOException {
    Path original = SharedData.path("stories260K");
    Files.copy(original.resolve("tokenizer.json"), directory.resolve("tokenizer.json"));
    settings(
        "{"
            + LLAMA
            + "\"add_bos_token\":true,\"add_eos_token\":false,\"add_prefix_space\":true,"
            + "\"bos_token\":\"<s>\",\"eos_token\":\"</s>\"}");
    assertEquals(OptionalInt.of(1), read().beginOfText());
    settings("{\"add_prefix_space\":false,\"eos_token\":\"</s>\"}");
    assertRefused("add_prefix_space is false; the tokenizer itself puts a space before a text");
  }

  @Test
  void endOfText_asked_isKeptAndEndsNoPrompt() throws IOException {
    for (BytePairTokenizer tokenizer : List.of(bytePairs, bytePairs.withBeginOfText())) {
      TokenizerFiles.write(directory, tokenizer, 64);
      settings("{\"add_eos_token\":true}");
      for (int i = 0; i < 2; i++) {
        Tokenizer read = assertInstanceOf(BytePairTokenizer.class, read());
        assertTrue(read.endsTexts());
        assertEquals(tokenizer.beginOfText(), read.beginOfText());
        assertArrayEquals(tokenizer.encode("the"), read.encode("the"));
        TokenizerFiles.write(directory, read, 64); // from now on the template says it
      }
      settings("{" + LLAMA + "\"add_eos_token\":false}");
      assertFalse(read().endsTexts());
      settings("{\"add_eos_token\":false}");
      assertRefused("add_eos_token is false; tokenizer.json puts id 0 behind every text");
    }
  }

  @Test
  void endOfText_ofACharacterTokenizer_isKept() throws IOException {
    TokenizerFiles.write(directory, CharacterTokenizer.of('b', 'a'), 64);
    settings("{\"add_eos_token\":true}");
    TokenizerFiles.write(directory, read(), 64);
    assertTrue(read().endsTexts());
    assertEquals("ab", read().decode(read().encode("ab")));
  }

  @Test
  void template_thatEndsATextWithAnotherToken_isRefused() throws IOException {
    TokenizerFiles.write(directory, bytePairs.withEndOfText(), 64);
    settings("{\"eos_token\":\"<s>\"}");
    InvalidFileException e = assertThrows(InvalidFileException.class, this::read);
    assertTrue(e.fault().contains("must be the token that ends a text, <s>"), e.fault());
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '§',
      delimiter = '→',
      value = {
        "\"add_bos_token\":true,\"bos_token\":\"<x>\" → bos_token is \"<x>\"; <x> is to begin",
        "\"add_bos_token\":true → bos_token is absent; <s> is to begin",
        "\"add_bos_token\":1 → add_bos_token is 1; it must be true or false",
        "\"add_bos_token\":false → add_bos_token is false; tokenizer.json puts id 0 before",
        "\"add_prefix_space\":true → add_prefix_space is true; the tokenizer itself puts no space"
      })
  void flags_thatContradict_areRefused(String flags, String fault) throws IOException {
    BytePairTokenizer tokenizer = new BytePairTrainer().train(257, List.of("<|endoftext|>"));
    boolean template = flags.endsWith("false");
    TokenizerFiles.write(directory, template ? tokenizer.withBeginOfText() : tokenizer, 64);
    settings("{" + flags + "}");
    assertRefused(fault);
  }

  private void assertRefused(String fault) {
    InvalidFileException e = assertThrows(InvalidFileException.class, this::read);
    assertEquals(directory.resolve("tokenizer_config.json"), e.path());
    assertTrue(e.fault().startsWith(fault), e.fault());
  }

  private void settings(String json) throws IOException {
    Files.writeString(directory.resolve("tokenizer_config.json"), json);
  }

  private Tokenizer read() throws IOException {
    Path file = Files.writeString(directory.resolve("config.json"), "{}");
    return TokenizerFiles.read(directory, JsonObject.read(file, JsonObject.SETTINGS_BYTES));
  }
}
