package dev.spatz.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.spatz.SharedData;
import dev.spatz.tokenizer.AllowedSpecial;
import dev.spatz.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The ids are those of Hugging Face's library (ai.djl.huggingface:tokenizers 0.38.0). */
class PipelineFileTest {
  @TempDir Path directory;

  @Test
  void stories260K_encode_isHuggingFaces_alsoWrittenAndRead() throws IOException {
    Tokenizer tokenizer = read(SharedData.path("stories260K"));
    TokenizerFiles.write(directory, tokenizer, 512);
    Files.writeString(directory.resolve("config.json"), "{\"eos_token_id\":2}");
    Tokenizer again = read(directory);
    assertEquals(OptionalInt.of(1), again.beginOfText());
    JsonNode examples = examples();
    assertTrue(examples.size() > 100);
    for (JsonNode example : examples) {
      String text = example.get("text").textValue();
      int[] expected = new int[example.get("ids").size()];
      Arrays.setAll(expected, i -> example.get("ids").get(i).intValue());
      assertArrayEquals(expected, tokenizer.encode(text, AllowedSpecial.ALL), text);
      assertArrayEquals(expected, again.encode(text, AllowedSpecial.ALL), text);
    }
  }

  @Test
  void specialToken_inAText_isOrdinaryTextUnlessAskedFor() throws IOException {
    Tokenizer tokenizer = read(SharedData.path("stories260K"));
    assertEquals(0, Arrays.stream(tokenizer.encode("a</s>")).filter(id -> id == 2).count());
    int[] asked = tokenizer.encode("a</s>", AllowedSpecial.of("</s>"));
    assertEquals(2, asked[asked.length - 1]);
    assertEquals("a</s>", tokenizer.decode(tokenizer.encode("a</s>")));
  }

  @Test
  void brokenFiles_causeOnlyDocumentedExceptions() throws IOException {
    byte[] good = Files.readAllBytes(SharedData.path("stories260K").resolve("tokenizer.json"));
    Files.writeString(directory.resolve("config.json"), "{\"eos_token_id\":2}");
    Path file = directory.resolve("tokenizer.json");
    Random random = new Random(3);
    for (int i = 0; i < 150; i++) {
      byte[] bad =
          Arrays.copyOf(good, random.nextInt(3) > 0 ? good.length : random.nextInt(good.length));
      for (int flip = 0; bad.length > 0 && flip < 2; flip++) {
        int at = random.nextInt(bad.length);
        bad[at] = (byte) (bad[at] ^ 1 << random.nextInt(8));
      }
      Files.write(file, bad);
      try {
        assertTrue(read(directory).vocabularySize() > 0);
      } catch (InvalidFileException e) {
        assertTrue(e.getMessage().startsWith(file + ": "), e.getMessage());
      }
    }
  }

  @Test
  void expressionThatBacktracksWithoutBound_isStopped() throws IOException {
    Files.copy(
        SharedData.path("stories260K").resolve("tokenizer.json"),
        directory.resolve("tokenizer.json"));
    Files.writeString(directory.resolve("config.json"), "{\"eos_token_id\":2}");
    Examples.edit(
        directory.resolve("tokenizer.json"),
        "\"pre_tokenizer\": null",
        "\"pre_tokenizer\": {\"type\":\"Split\",\"pattern\":{\"Regex\":\"(a|a|aa)+b\"},"
            + "\"behavior\":\"Isolated\",\"invert\":false}");
    Tokenizer tokenizer = read(directory);
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> tokenizer.encode("a".repeat(5_000)));
    assertTrue(e.getMessage().contains("too many steps"), e.getMessage());
  }

  private static JsonNode examples() throws IOException {
    try (InputStream in = PipelineFileTest.class.getResourceAsStream("llama2-ids.json")) {
      return new ObjectMapper().readTree(in);
    }
  }

  private static Tokenizer read(Path directory) throws IOException {
    JsonObject config =
        JsonObject.read(directory.resolve("config.json"), JsonObject.SETTINGS_BYTES);
    return TokenizerFiles.read(directory, config);
  }
}
