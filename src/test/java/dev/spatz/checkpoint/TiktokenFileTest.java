package dev.spatz.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.Encoding;
import com.knuddels.jtokkit.api.EncodingType;
import dev.spatz.SharedData;
import dev.spatz.tokenizer.PipelineTokenizer;
import dev.spatz.tokenizer.SpecialToken;
import dev.spatz.tokenizer.SplitPattern;
import dev.spatz.tokenizer.TokenModel;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TiktokenFileTest {
  private static final String END = "<|endoftext|>";

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"r50k_base", "cl100k_base"})
  void encode_publishedVocabulary_isJtokkits(String name) throws IOException {
    PipelineTokenizer tokenizer = published(name);
    Encoding jtokkit =
        Encodings.newLazyEncodingRegistry().getEncoding(EncodingType.fromName(name).orElseThrow());
    for (String text : TokenizerTexts.all()) {
      assertArrayEquals(jtokkit.encodeOrdinary(text).toArray(), tokenizer.encode(text), text);
    }
    assertArrayEquals(
        new int[] {tokenizer.endOfText()},
        tokenizer.encode(END, dev.spatz.tokenizer.AllowedSpecial.ALL));
  }

  @ParameterizedTest
  @ValueSource(strings = {"tinyshakespeare.txt", "german/grimm.txt"})
  void encode_cl100kOnLongTexts_isJtokkits(String file) throws IOException {
    String text = Files.readString(SharedData.path(file));
    Encoding jtokkit = Encodings.newLazyEncodingRegistry().getEncoding(EncodingType.CL100K_BASE);
    assertArrayEquals(
        jtokkit.encodeOrdinary(text).toArray(), published("cl100k_base").encode(text));
  }

  private PipelineTokenizer published(String name) throws IOException {
    Path file = directory.resolve(name);
    try (InputStream in = Encodings.class.getResourceAsStream(name + ".tiktoken")) {
      Files.copy(in, file);
    }
    boolean gpt2 = name.equals("r50k_base");
    return SavedTokenizer.loadTiktoken(
        file,
        SplitPattern.regex(gpt2 ? SplitPattern.GPT2 : SplitPattern.LLAMA3),
        List.of(new SpecialToken(END, gpt2 ? 50_256 : 100_257)),
        END);
  }

  @Test
  void load_tokenThatNoMergesMake_isFoundAsAWholeOnly() throws IOException {
    PipelineTokenizer tokenizer = load(lines("ab", "abcd"), new SpecialToken(END, 258));
    assertTrue(((TokenModel.BytePair) tokenizer.parts().model()).options().ignoreMerges());
    assertArrayEquals(new int[] {257}, tokenizer.encode("abcd"));
    assertArrayEquals(new int[] {256, 'c', 'd', 'e'}, tokenizer.encode("abcde"));
    PipelineTokenizer merged = load(lines("ab", "cd", "abcd"), new SpecialToken(END, 259));
    assertFalse(((TokenModel.BytePair) merged.parts().model()).options().ignoreMerges());
    assertArrayEquals(new int[] {258, 'e'}, merged.encode("abcde"));
  }

  @Test
  void load_specialTokenBehindAHole_hasItsId() throws IOException {
    PipelineTokenizer tokenizer = load(lines("ab"), new SpecialToken(END, 260));
    assertEquals(260, tokenizer.endOfText());
    assertEquals(261, tokenizer.vocabularySize());
    assertEquals("ab", tokenizer.decode(256, 258, 260));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '→',
      value = {
        "YWI= 256 → YWI= 257 → line 257 is 'YWI= 257'; it must be a token in Base64, a space, and the id 256",
        "YWI= 256 → YWI=256 → line 257",
        "YWI= 256 → Y*I= 256 → line 257",
        "YWI= 256 → YQ== 256 → the tokenizer is invalid: token 'a' is twice",
        "YQ== 97 → YWJj 97 → byte 0x61 ('a') has no token",
      })
  void load_brokenFile_isRefused(String good, String bad, String fault) throws IOException {
    String text = lines("ab").replace(good, bad);
    InvalidFileException e =
        assertThrows(InvalidFileException.class, () -> load(text, new SpecialToken(END, 257)));
    assertTrue(e.getMessage().contains(fault), e.getMessage());
  }

  @Test
  void load_specialTokensThatDoNotFit_areRefused() {
    for (SpecialToken token : List.of(new SpecialToken(END, 256), new SpecialToken("<x>", 257))) {
      InvalidFileException e =
          assertThrows(InvalidFileException.class, () -> load(lines("ab"), token));
      assertTrue(e.getMessage().contains("special token"), e.getMessage());
    }
  }

  private PipelineTokenizer load(String lines, SpecialToken end) throws IOException {
    Path file = Files.writeString(directory.resolve("x.tiktoken"), lines);
    return SavedTokenizer.loadTiktoken(
        file, SplitPattern.regex(SplitPattern.LLAMA3), List.of(end), END);
  }

  /** The 256 bytes by value, and more tokens. */
  private static String lines(String... more) {
    List<byte[]> tokens = new ArrayList<>();
    for (int b = 0; b < 256; b++) {
      tokens.add(new byte[] {(byte) b});
    }
    for (String token : more) {
      tokens.add(token.getBytes(StandardCharsets.UTF_8));
    }
    StringBuilder lines = new StringBuilder();
    for (int id = 0; id < tokens.size(); id++) {
      lines.append(Base64.getEncoder().encodeToString(tokens.get(id))).append(' ');
      lines.append(id).append('\n');
    }
    return lines.toString();
  }
}
