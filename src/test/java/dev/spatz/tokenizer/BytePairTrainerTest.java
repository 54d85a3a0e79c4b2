package dev.spatz.tokenizer;

import static dev.spatz.tokenizer.CharacterTokenizerTest.assertRefused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.spatz.SharedData;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BytePairTrainerTest {
  private static final List<String> END = List.of(Tokenizer.END_OF_TEXT);

  /** Stanford CS336's reference: the greater left bytes, then the greater right bytes. */
  private static final TieRule GREATEST_BYTES =
      (a, b, bytes) -> {
        int left =
            Arrays.compareUnsigned(bytes.apply((int) (b >>> 32)), bytes.apply((int) (a >>> 32)));
        return left != 0
            ? left
            : Arrays.compareUnsigned(bytes.apply((int) b), bytes.apply((int) a));
      };

  @Test
  void train_referenceCorpus_givesTheReferencesMergesAndVocabulary() throws IOException {
    BytePairTrainer trainer = new BytePairTrainer(1, GREATEST_BYTES);
    trainer.add(Files.readString(SharedData.path("bpe-training/corpus.en")));
    BytePairTokenizer tokenizer = trainer.train(500, END);
    List<String> reference =
        Files.readAllLines(SharedData.path("bpe-training/train-bpe-reference-merges.txt"));
    assertEquals(reference, merges(tokenizer));
    JsonNode vocabulary =
        new ObjectMapper()
            .readTree(SharedData.path("bpe-training/train-bpe-reference-vocab.json").toFile());
    assertEquals(500, vocabulary.size());
    assertEquals(500, tokenizer.vocabularySize());
    assertEquals(0, vocabulary.get(Tokenizer.END_OF_TEXT).intValue());
    for (int id = 1; id < 500; id++) {
      String token = ByteLevel.toCharacters(tokenizer.tokenBytes(id));
      assertEquals(id, vocabulary.get(token).intValue(), token);
    }
  }

  /** Counts and digests by Hugging Face tokenizers 0.23.2: {@code huggingface_merges.py}. */
  @ParameterizedTest
  @CsvSource({
    "tinyshakespeare.txt, 8192, 2, 7935,"
        + " e7f4edee4cd707313774beed18dbbb8b9e87b451d79523db586f9647bfea88e4",
    "german/grimm.txt, 30000, 1, 23022,"
        + " 3df09f9bc61e679b0e4f6db681ccb585911c1d745277fcb503a6a7f07e6668f9"
  })
  void train_text_givesHuggingFacesMerges(
      String file, int size, int minimumFrequency, int count, String digest)
      throws IOException, NoSuchAlgorithmException {
    BytePairTrainer trainer = new BytePairTrainer(minimumFrequency);
    trainer.add(Files.readString(SharedData.path(file)));
    BytePairTokenizer tokenizer = trainer.train(size, END);
    List<String> merges = merges(tokenizer);
    assertEquals(count, merges.size());
    assertEquals(257 + count, tokenizer.vocabularySize());
    String lines = merges.stream().map(merge -> merge + "\n").collect(Collectors.joining());
    byte[] sha256 =
        MessageDigest.getInstance("SHA-256").digest(lines.getBytes(StandardCharsets.UTF_8));
    assertEquals(digest, HexFormat.of().formatHex(sha256));
  }

  /** Merges by Hugging Face tokenizers 0.23.2: {@code huggingface_merges.py}, size 300. */
  @ParameterizedTest
  @CsvSource({
    "low low low low low lower lower newest newest newest newest newest newest widest widest widest"
        + ", 2, 'e s|es t|l o|lo w|e w|n ew|Ġ low|Ġ new|Ġnew est|d est|i dest|w idest|Ġ widest|e r"
        + "|Ġlow er'",
    "low low low low low lower lower newest newest newest newest newest newest widest widest widest"
        + ", 6, 'e s|es t|l o|lo w|e w|n ew|Ġ low|Ġ new|Ġnew est'",
    "aaaaaaa aaaa abab ababab ba ba, 1, 'a a|a b|aa aa|ab ab|b a|Ġ abab|Ġ ba|Ġ aaaa|aa a|aaaa aaa"
        + "|Ġabab ab'"
  })
  void train_smallText_givesHuggingFacesMergesAndStopsAtTheMinimumFrequency(
      String text, int minimumFrequency, String expected) {
    BytePairTrainer trainer = new BytePairTrainer(minimumFrequency);
    trainer.add(text);
    assertEquals(expected, String.join("|", merges(trainer.train(300, END))));
  }

  @Test
  void train_tie_isDecidedByTheRule() {
    for (TieRule rule : List.of(TieRule.SMALLEST_IDS, GREATEST_BYTES)) {
      BytePairTrainer trainer = new BytePairTrainer(2, rule);
      trainer.add("ac,ab,bb,ac,ab,bb");
      String first = rule == TieRule.SMALLEST_IDS ? "a b" : "b b";
      assertEquals(List.of(first), merges(trainer.train(258, END)));
    }
  }

  @Test
  void train_ids_areSpecialTokensThenBytesThenMerges() {
    BytePairTrainer trainer = new BytePairTrainer();
    trainer.add("zz zz");
    BytePairTokenizer tokenizer = trainer.train(260, List.of("</s>", "<pad>"));
    assertEquals(
        List.of(new SpecialToken("</s>", 0), new SpecialToken("<pad>", 1)),
        tokenizer.specialTokens());
    assertEquals(0, tokenizer.endOfText());
    assertArrayEquals(new byte[] {'!'}, tokenizer.tokenBytes(2));
    assertArrayEquals(new byte[] {(byte) 0xAD}, tokenizer.tokenBytes(257));
    assertArrayEquals(new byte[] {'z', 'z'}, tokenizer.tokenBytes(258));
    assertEquals(259, tokenizer.vocabularySize(), "the text has no second pair");
  }

  @Test
  void train_again_givesTheSameAndGoesOnFromTheSameCounts() {
    BytePairTrainer trainer = new BytePairTrainer();
    trainer.add("low lower lowest low lower");
    List<String> before = merges(trainer.train(300, END));
    assertEquals(before, merges(trainer.train(300, END)));
    trainer.add(" wide wider widest wide wider wide wider");
    assertNotEquals(before, merges(trainer.train(300, END)));
  }

  @Test
  void add_piecesCutWhereItSays_givesTheSameMerges() {
    String text = RandomText.of(new Random(12), 20_000);
    BytePairTrainer whole = new BytePairTrainer();
    whole.add(text);
    BytePairTrainer pieces = new BytePairTrainer();
    int from = 0;
    for (int to = 0; to < text.length(); to += 97) {
      int cut = from + BytePairTrainer.cut(text.substring(from, to));
      pieces.add(text.substring(from, cut));
      from = cut;
    }
    pieces.add(text.substring(from));
    assertTrue(from > text.length() / 2);
    assertEquals(merges(whole.train(3_000, END)), merges(pieces.train(3_000, END)));
  }

  @Test
  void train_textFullOfASpecialTokensSpelling_neverMergesToIt() {
    BytePairTrainer trainer = new BytePairTrainer();
    trainer.add("pad,".repeat(100) + "pads,".repeat(50));
    BytePairTokenizer tokenizer = trainer.train(300, List.of("pad"));
    int[] ids = tokenizer.encode("pad");
    assertTrue(ids.length > 1);
    assertEquals("pad", tokenizer.decode(ids));
  }

  @Test
  void train_emptyText_givesTheBytes() {
    assertEquals(257, new BytePairTrainer().train(1_000, END).vocabularySize());
  }

  @Test
  void learn_oneLongWord_visitsEachPlaceAFewTimesOnly() {
    String word =
        new Random(13)
            .ints(200_000, 'a', 'e')
            .mapToObj(Character::toString)
            .collect(Collectors.joining());
    PieceCounts counts = new PieceCounts();
    counts.add(word.getBytes(StandardCharsets.UTF_8), 0, word.length());
    MergeLearner learner = new MergeLearner(END, TieRule.SMALLEST_IDS);
    learner.load(counts);
    learner.learn(3_257, 2);
    assertEquals(3_257, learner.tokenizer().vocabularySize());
    // A byte brings one pair, and a merge, of which there are fewer than bytes, two.
    assertTrue(learner.visits() <= 3L * word.length(), learner.visits() + " visits");
  }

  @Test
  void train_badArguments_isRefused() {
    BytePairTrainer trainer = new BytePairTrainer();
    assertRefused("vocabulary size (256) must be at least 257", () -> trainer.train(256, END));
    assertRefused("no special tokens", () -> trainer.train(300, List.of()));
    assertRefused("<a> is given twice", () -> trainer.train(300, List.of("<a>", "<a>")));
    assertRefused("'a' has one byte", () -> trainer.train(300, List.of("a")));
    assertRefused("empty", () -> trainer.train(300, List.of("")));
    assertRefused("index 0", () -> trainer.train(300, List.of("\uD83D")));
    assertRefused("minimum frequency (0)", () -> new BytePairTrainer(0));
    assertRefused("U+D83D at index 2", () -> trainer.add("ab\uD83D"));
  }

  private static List<String> merges(BytePairTokenizer tokenizer) {
    return tokenizer.merges().stream()
        .map(
            merge ->
                ByteLevel.toCharacters(tokenizer.tokenBytes(merge.left()))
                    + " "
                    + ByteLevel.toCharacters(tokenizer.tokenBytes(merge.right())))
        .toList();
  }
}
