package dev.spatz.tokenizer;

import static dev.spatz.tokenizer.CharacterTokenizerTest.assertRefused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.Encoding;
import com.knuddels.jtokkit.api.EncodingType;
import dev.spatz.SharedData;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BytePairTokenizerTest {
  private static final List<SpecialToken> END =
      List.of(new SpecialToken(Tokenizer.END_OF_TEXT, 258));

  @ParameterizedTest
  @ValueSource(strings = {"tinyshakespeare.txt", "german/grimm.txt"})
  void encode_gpt2sVocabulary_isJtokkitsR50kBase(String file) throws IOException {
    String text = Files.readString(SharedData.path(file));
    BytePairTokenizer tokenizer = Gpt2.tokenizer();
    int[] ids = tokenizer.encode(text);
    assertArrayEquals(jtokkit().encodeOrdinary(text).toArray(), ids);
    assertEquals(text, tokenizer.decode(ids));
  }

  @Test
  void encode_gpt2sVocabularyOnRandomText_isJtokkitsR50kBase() throws IOException {
    BytePairTokenizer tokenizer = Gpt2.tokenizer();
    Encoding reference = jtokkit();
    Random random = new Random(8);
    for (int i = 0; i < 500; i++) {
      String text = RandomText.of(random, 40);
      assertArrayEquals(reference.encodeOrdinary(text).toArray(), tokenizer.encode(text), text);
    }
  }

  @Test
  void encode_knownSentence_hasGpt2sIds() throws IOException {
    // tiktoken's r50k_base.
    assertArrayEquals(new int[] {15496, 995, 0}, Gpt2.tokenizer().encode("Hello world!"));
  }

  @Test
  void decode_encodedRandomText_isTheText() {
    Random random = new Random(9);
    BytePairTokenizer tokenizer =
        BytePairTokenizer.learn(List.of(RandomText.of(random, 5_000)), 2_000);
    for (int i = 0; i < 300; i++) {
      String text = RandomText.of(random, 100);
      assertEquals(text, tokenizer.decode(tokenizer.encode(new StringBuilder(text))));
    }
    assertEquals(0, tokenizer.encode("").length);
    assertEquals("", tokenizer.decode());
  }

  @Test
  void encode_inPiecesCutWhereItSays_givesTheIdsOfTheWhole() {
    Random random = new Random(10);
    BytePairTokenizer tokenizer =
        BytePairTokenizer.learn(List.of(RandomText.of(random, 5_000)), 2_000);
    for (int i = 0; i < 100; i++) {
      String text = RandomText.of(random, 200);
      List<Integer> ids = new ArrayList<>();
      StringBuilder buffer = new StringBuilder();
      for (int at = 0; at < text.length(); ) {
        int end = Math.min(text.length(), at + 1 + random.nextInt(40));
        buffer.append(text, at, end);
        at = end;
        int cut = tokenizer.cut(buffer);
        Arrays.stream(tokenizer.encode(buffer.substring(0, cut))).forEach(ids::add);
        buffer.delete(0, cut);
      }
      Arrays.stream(tokenizer.encode(buffer)).forEach(ids::add);
      assertArrayEquals(tokenizer.encode(text), ids.stream().mapToInt(id -> id).toArray());
    }
  }

  @Test
  void encode_moreWordsThanAreRemembered_givesTheSameIdsEachTime() {
    BytePairTokenizer tokenizer =
        BytePairTokenizer.learn(List.of("one two three one two three"), 280);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 50_000; i++) {
      text.append(' ').append(Integer.toString(i * 31, 36).replaceAll("[0-9]", "e"));
    }
    int[] first = tokenizer.encode(text);
    assertArrayEquals(first, tokenizer.encode(text));
    assertEquals(text.toString(), tokenizer.decode(first));
  }

  @Test
  void encode_byManyThreads_givesTheSameIds() {
    Random random = new Random(11);
    List<String> texts =
        IntStream.range(0, 64).mapToObj(i -> RandomText.of(random, 2_000)).toList();
    BytePairTokenizer tokenizer = BytePairTokenizer.learn(texts, 3_000);
    BytePairTokenizer alone = BytePairTokenizer.learn(texts, 3_000);
    List<int[]> together = texts.parallelStream().map(tokenizer::encode).toList();
    for (int i = 0; i < texts.size(); i++) {
      assertArrayEquals(alone.encode(texts.get(i)), together.get(i));
    }
  }

  @Test
  void encode_spellingOfASpecialToken_isOrdinaryText() throws IOException {
    BytePairTokenizer gpt2 = Gpt2.tokenizer();
    int[] ids = gpt2.encode("a<|endoftext|>b");
    assertEquals(0, Arrays.stream(ids).filter(id -> id == gpt2.endOfText()).count());
    assertEquals("a<|endoftext|>b", gpt2.decode(ids));
  }

  @Test
  void decode_specialToken_addsNothing() {
    BytePairTokenizer tokenizer = tiny();
    assertEquals(258, tokenizer.endOfText());
    assertEquals(259, tokenizer.vocabularySize());
    int[] ids = tokenizer.encode("ab");
    assertArrayEquals(new int[] {256}, ids);
    assertEquals("abab", tokenizer.decode(258, ids[0], 258, ids[0]));
    assertEquals(
        Tokenizer.END_OF_TEXT, new String(tokenizer.tokenBytes(258), StandardCharsets.UTF_8));
  }

  @Test
  void of_itsOwnParts_givesTheSameTokenizer() {
    BytePairTokenizer tokenizer = BytePairTokenizer.learn(List.of("aaa bbb aaa bbb abab"), 270);
    List<byte[]> vocabulary =
        IntStream.range(0, tokenizer.vocabularySize()).mapToObj(tokenizer::tokenBytes).toList();
    BytePairTokenizer copy =
        BytePairTokenizer.of(vocabulary, tokenizer.merges(), tokenizer.specialTokens());
    assertArrayEquals(tokenizer.encode("aaa bab"), copy.encode("aaa bab"));
    assertEquals(0, copy.endOfText());
  }

  @Test
  void of_partsChangedAfterwards_doesNotChange() {
    List<byte[]> vocabulary = vocabulary();
    List<Merge> merges = new ArrayList<>(merges());
    BytePairTokenizer tokenizer = BytePairTokenizer.of(vocabulary, merges, END);
    vocabulary.get('a')[0] = 'z';
    merges.clear();
    tokenizer.tokenBytes('b')[0] = 'z';
    assertEquals("abc", tokenizer.decode('a', 'b', 'c'));
    assertArrayEquals(new byte[] {'a'}, tokenizer.tokenBytes('a'));
    assertArrayEquals(new byte[] {'b'}, tokenizer.tokenBytes('b'));
    assertEquals(merges(), tokenizer.merges());
  }

  @Test
  void of_endOfTextByAnotherName_isThatToken() {
    List<SpecialToken> special = List.of(new SpecialToken("</s>", 259), END.get(0));
    assertEquals(259, BytePairTokenizer.of(vocabulary(), merges(), special, "</s>").endOfText());
    assertEquals(258, BytePairTokenizer.of(vocabulary(), merges(), special).endOfText());
  }

  @Test
  void encode_unpairedSurrogate_isRefusedWithItsPlace() {
    BytePairTokenizer tokenizer = tiny();
    assertRefused("U+D83D at index 3", () -> tokenizer.encode("ab \uD83D"));
    assertRefused("U+D83D at index 1", () -> tokenizer.encode("a\uD83D ab"));
    assertRefused("U+DE00 at index 0", () -> tokenizer.encode("\uDE00\uD83D"));
    assertRefused("at index 100", () -> tokenizer.encode("!".repeat(100) + "\uDE00"));
  }

  @Test
  void decode_idOutsideTheVocabulary_isRefused() {
    assertRefused("token id 259", () -> tiny().decode(259));
    assertRefused("token id -1", () -> tiny().decode(-1));
    assertRefused("token id 259", () -> tiny().tokenBytes(259));
  }

  @Test
  void of_idWithoutToken_isRefused() {
    List<byte[]> hole = vocabulary();
    hole.set(7, null);
    assertRefused("id 7 has no token", () -> BytePairTokenizer.of(hole, List.of(), END));
    List<byte[]> empty = vocabulary();
    empty.set(257, new byte[0]);
    assertRefused("id 257 has no token", () -> BytePairTokenizer.of(empty, List.of(), END));
    List<SpecialToken> late = List.of(new SpecialToken(Tokenizer.END_OF_TEXT, 300));
    assertRefused("id 258 has no token", () -> BytePairTokenizer.of(vocabulary(), merges(), late));
  }

  @Test
  void of_tokenTwice_isRefused() {
    List<byte[]> twice = vocabulary();
    twice.set(257, bytes("ab"));
    assertRefused(
        "'ab' is twice in the vocabulary, ids 256 and 257",
        () -> BytePairTokenizer.of(twice, List.of(), END));
    List<SpecialToken> special = List.of(END.get(0), new SpecialToken("abc", 259));
    assertRefused("'abc' is twice", () -> BytePairTokenizer.of(vocabulary(), merges(), special));
  }

  @Test
  void of_missingByte_isRefused() {
    List<byte[]> missing = vocabulary();
    missing.set(0xAD, bytes("xyz"));
    assertRefused("byte 0xAD", () -> BytePairTokenizer.of(missing, merges(), END));
  }

  @Test
  void of_badMerge_isRefused() {
    assertRefused("merge 0 joins 'b' and 'a'", () -> withMerges(new Merge('b', 'a')));
    assertRefused("merge 1 joins id 259", () -> withMerges(new Merge('a', 'b'), new Merge(259, 1)));
    assertRefused("merge 0 joins id -1", () -> withMerges(new Merge('a', -1)));
    assertRefused("merge 0 joins id 258", () -> withMerges(new Merge(258, 'a')));
    assertRefused(
        "merge 1 of ids 97 and 98 is repeated",
        () -> withMerges(new Merge('a', 'b'), new Merge('a', 'b')));
  }

  @Test
  void of_badSpecialTokens_isRefused() {
    assertRefused(
        "no special token <|endoftext|>",
        () -> BytePairTokenizer.of(vocabulary(), merges(), List.of()));
    assertRefused(
        "no special token </s>", () -> BytePairTokenizer.of(vocabulary(), merges(), END, "</s>"));
    assertRefused(
        "id 258 has two special tokens",
        () ->
            BytePairTokenizer.of(
                vocabulary(), merges(), List.of(END.get(0), new SpecialToken("</s>", 258))));
    assertRefused(
        "special token </s> has id 257",
        () ->
            BytePairTokenizer.of(
                vocabulary(), merges(), List.of(END.get(0), new SpecialToken("</s>", 257))));
  }

  @Test
  void specialToken_badComponents_isRefused() {
    assertRefused("empty", () -> new SpecialToken("", 1));
    assertRefused("id -1", () -> new SpecialToken("<x>", -1));
    assertRefused("index 1", () -> new SpecialToken("<\uD83D>", 1));
  }

  private static Encoding jtokkit() {
    return Encodings.newLazyEncodingRegistry().getEncoding(EncodingType.R50K_BASE);
  }

  private static BytePairTokenizer tiny() {
    return BytePairTokenizer.of(vocabulary(), merges(), END);
  }

  private static BytePairTokenizer withMerges(Merge... merges) {
    return BytePairTokenizer.of(vocabulary(), List.of(merges), END);
  }

  /** The bytes in their own order, "ab" and "abc". */
  private static List<byte[]> vocabulary() {
    List<byte[]> vocabulary = new ArrayList<>();
    for (int b = 0; b < 256; b++) {
      vocabulary.add(new byte[] {(byte) b});
    }
    vocabulary.add(bytes("ab"));
    vocabulary.add(bytes("abc"));
    return vocabulary;
  }

  private static List<Merge> merges() {
    return List.of(new Merge('a', 'b'), new Merge(256, 'c'));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
