package dev.spatz.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.EncodingType;
import dev.spatz.SharedData;
import dev.spatz.tokenizer.ByteLevel;
import dev.spatz.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VocabularyFilesTest {
  private static final String TEXT = "The ether's  thesis:\n\t42 naïve 😀 漢字   <|endoftext|>";

  /** All bytes' characters but those of the letters a and b, which are ids 254 and 255. */
  private static final String SMALL = small();

  @TempDir Path directory;

  @Test
  void gpt2_encode_isOpenAis() throws IOException {
    Files.copy(SharedData.path("gpt2/encoder.json"), directory.resolve("vocab.json"));
    Files.copy(SharedData.path("gpt2/vocab.bpe"), directory.resolve("merges.txt"));
    Tokenizer tokenizer = read("{\"model_type\":\"gpt2\",\"eos_token_id\":50256}");
    assertEquals(50_257, tokenizer.vocabularySize());
    assertEquals(50_256, tokenizer.endOfText());
    int[] expected =
        Encodings.newDefaultEncodingRegistry()
            .getEncoding(EncodingType.R50K_BASE)
            .encodeOrdinary(TEXT)
            .toArray();
    assertArrayEquals(expected, tokenizer.encode(TEXT));
    assertEquals(TEXT, tokenizer.decode(expected));
  }

  @Test
  void smallVocabulary_isRead_withTheEndThatTheSettingsName() throws IOException {
    write(SMALL, "a b\n");
    Files.writeString(
        directory.resolve("tokenizer_config.json"),
        "{\"tokenizer_class\":\"GPT2Tokenizer\",\"eos_token\":{\"content\":\"<end>\"}}");
    Tokenizer tokenizer = read("{}");
    assertEquals(257, tokenizer.endOfText());
    assertArrayEquals(new int[] {256, 256, 254}, tokenizer.encode("ababa"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "a c d | {'model_type':'gpt2','eos_token_id':257} | line 1 is 'a c d'",
        "a zz | {'model_type':'gpt2','eos_token_id':257} | line 1 is 'a zz'",
        "a b | {'model_type':'gpt2','eos_token_id':258} | there is no token 258",
        "a b | {'model_type':'gpt2'} | <|endoftext|> is absent",
        "b a | {'model_type':'gpt2','eos_token_id':257} | the tokenizer is invalid",
        "a b | {'model_type':'qwen2','eos_token_id':257} | model_type is \"qwen2\"",
      })
  void brokenFile_isRefused(String merges, String config, String message) throws IOException {
    write(SMALL, merges + "\n");
    InvalidFileException e =
        assertThrows(InvalidFileException.class, () -> read(config.replace('\'', '"')));
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  @Test
  void addedTokens_areRefused() throws IOException {
    write(SMALL, "a b\n");
    Files.writeString(directory.resolve("added_tokens.json"), "{\"<tool>\":258}");
    InvalidFileException e =
        assertThrows(
            InvalidFileException.class,
            () -> read("{\"model_type\":\"gpt2\",\"eos_token_id\":257}"));
    assertTrue(e.getMessage().contains("added_tokens.json"), e.getMessage());
  }

  @Test
  void damagedFiles_causeOnlyDocumentedExceptions() throws IOException {
    write(SMALL, "#version: 0.2\na b\n");
    Random random = new Random(5);
    for (String name : new String[] {"vocab.json", "merges.txt"}) {
      Path file = directory.resolve(name);
      byte[] good = Files.readAllBytes(file);
      for (int i = 0; i < 200; i++) {
        byte[] bad = Arrays.copyOf(good, random.nextInt(3) > 0 ? good.length : i % good.length);
        if (bad.length > 0) {
          int at = random.nextInt(bad.length);
          bad[at] = (byte) (bad[at] ^ 1 << random.nextInt(8));
        }
        Files.write(file, bad);
        try {
          assertTrue(read("{\"model_type\":\"gpt2\",\"eos_token_id\":257}").vocabularySize() > 257);
        } catch (InvalidFileException e) {
          assertTrue(e.getMessage().startsWith(directory.toString()), e.getMessage());
        }
      }
      Files.write(file, good);
    }
  }

  private Tokenizer read(String config) throws IOException {
    Path path = Files.writeString(directory.resolve("config.json"), config);
    return TokenizerFiles.read(directory, JsonObject.read(path, JsonObject.SETTINGS_BYTES));
  }

  private void write(String vocabulary, String merges) throws IOException {
    Files.writeString(directory.resolve("vocab.json"), vocabulary);
    Files.writeString(directory.resolve("merges.txt"), merges);
  }

  private static String small() {
    StringBuilder json = new StringBuilder("{");
    int id = 0;
    for (int b = 0; b < 256; b++) {
      if (b != 'a' && b != 'b') {
        String spelled = ByteLevel.toCharacters((byte) b);
        json.append('"').append("\"\\".contains(spelled) ? "\\" : "").append(spelled);
        json.append("\":").append(id++).append(',');
      }
    }
    return json.append("\"a\":254,\"b\":255,\"ab\":256,\"<end>\":257}").toString();
  }
}
