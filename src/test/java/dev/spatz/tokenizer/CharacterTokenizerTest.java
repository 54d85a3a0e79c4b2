package dev.spatz.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.SharedData;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class CharacterTokenizerTest {
  @Test
  void learn_tinyShakespeare_hasNanoGptsIds() throws IOException {
    String text = Files.readString(SharedData.path("tinyshakespeare.txt"));
    CharacterTokenizer tokenizer = CharacterTokenizer.learn(List.of(text));
    assertEquals(66, tokenizer.vocabularySize());
    assertEquals(65, tokenizer.endOfText());
    // nanoGPT's data/shakespeare_char/prepare.py numbers the sorted characters
    // "\n !$&',-.3:;?A…Za…z".
    assertArrayEquals(new int[] {0, 1, 2, 13, 38, 39, 64}, tokenizer.encode("\n !AZaz"));
    assertEquals(text, tokenizer.decode(tokenizer.encode(text)));
  }

  @Test
  void decode_encodedRandomText_isTheText() {
    Random random = new Random(3);
    String text = RandomText.of(random, 20_000);
    CharacterTokenizer tokenizer = CharacterTokenizer.learn(List.of(text));
    int[] ids = tokenizer.encode(text);
    assertEquals(text.codePointCount(0, text.length()), ids.length);
    assertEquals(text, tokenizer.decode(ids));
  }

  @Test
  void vocabulary_isSortedByCodePointThenTheSpecialToken() {
    CharacterTokenizer tokenizer = CharacterTokenizer.of('b', 0x1F600, 'a', 0xE4);
    assertEquals(List.of("a", "b", "ä", "😀", "<|endoftext|>"), tokenizer.vocabulary());
    assertEquals(List.of(new SpecialToken(Tokenizer.END_OF_TEXT, 4)), tokenizer.specialTokens());
    assertArrayEquals(new int[] {3, 0}, tokenizer.encode("😀a"));
  }

  @Test
  void encode_spellingOfTheSpecialToken_isOrdinaryText() {
    CharacterTokenizer tokenizer = CharacterTokenizer.learn(List.of("<|endof", "text|>"));
    int[] ids = tokenizer.encode(Tokenizer.END_OF_TEXT);
    assertEquals(13, ids.length);
    assertEquals("", tokenizer.decode(tokenizer.endOfText()));
    assertEquals(Tokenizer.END_OF_TEXT, tokenizer.decode(ids));
  }

  @Test
  void encode_unknownCharacter_isRefusedWithItsNameAndPlace() {
    CharacterTokenizer tokenizer = CharacterTokenizer.of('a', 'b');
    assertRefused("U+00E9 'é' at index 2", () -> tokenizer.encode("abé"));
    assertRefused("U+1F600 '😀' at index 1", () -> tokenizer.encode("a😀"));
  }

  @Test
  void encode_unpairedSurrogate_isRefusedWithItsPlace() {
    CharacterTokenizer tokenizer = CharacterTokenizer.of('a', 0x1F600);
    assertRefused("U+D83D at index 1", () -> tokenizer.encode("a\uD83D"));
    assertRefused("U+D83D at index 1", () -> tokenizer.encode("a\uD83Da"));
    assertRefused("U+DE00 at index 0", () -> tokenizer.encode("\uDE00a"));
  }

  @Test
  void decode_idOutsideTheVocabulary_isRefused() {
    CharacterTokenizer tokenizer = CharacterTokenizer.of('a');
    assertRefused("token id 2", () -> tokenizer.decode(0, 2));
    assertRefused("token id -1", () -> tokenizer.decode(-1));
  }

  @Test
  void of_badCodePoints_isRefused() {
    assertRefused("empty", () -> CharacterTokenizer.of());
    assertRefused("U+0061 'a' is twice", () -> CharacterTokenizer.of('a', 'b', 'a'));
    assertRefused("U+D800", () -> CharacterTokenizer.of('a', 0xD800));
    assertRefused("U+110000", () -> CharacterTokenizer.of(0x110000));
  }

  @Test
  void learn_badText_isRefused() {
    assertRefused("empty", () -> CharacterTokenizer.learn(List.of("")));
    assertRefused("index 1", () -> CharacterTokenizer.learn(List.of("fine", "a\uD83D")));
  }

  @Test
  void cut_anywhereButInsideACharacter() {
    CharacterTokenizer tokenizer = CharacterTokenizer.of('a', 0x1F600);
    assertEquals(3, tokenizer.cut("a😀"));
    assertEquals(1, tokenizer.cut("a\uD83D"));
    assertEquals(0, tokenizer.cut(""));
  }

  static void assertRefused(String expected, Executable call) {
    String message = assertThrows(IllegalArgumentException.class, call).getMessage();
    assertTrue(message.contains(expected), message);
  }
}
