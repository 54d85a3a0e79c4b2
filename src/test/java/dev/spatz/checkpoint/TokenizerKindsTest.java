package dev.spatz.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.spatz.tokenizer.AllowedSpecial;
import dev.spatz.tokenizer.SpecialToken;
import dev.spatz.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tokenizers of every kind that is read, judged by Hugging Face's ids. */
class TokenizerKindsTest {
  /** Texts of these are never cut: expressions of their own may look at anything. */
  private static final Set<String> WITHOUT_CUTS =
      Set.of(
          "bloom",
          "bytes-unsplit",
          "deepseek",
          "digits-together",
          "gpt4o",
          "normalizer-Sequence",
          "normalizer-Strip",
          "split-Contiguous",
          "split-Contiguous-inverted",
          "split-Isolated",
          "split-Isolated-inverted",
          "split-MergedWithNext",
          "split-MergedWithNext-inverted",
          "split-MergedWithPrevious",
          "split-MergedWithPrevious-inverted",
          "split-Removed",
          "split-Removed-inverted");

  @TempDir static Path directory;
  private static final Map<String, Tokenizer> KINDS = new LinkedHashMap<>();

  @BeforeAll
  static void load() throws IOException {
    for (Map.Entry<String, ObjectNode> kind : TokenizerKinds.small(directory).entrySet()) {
      KINDS.put(
          kind.getKey(), TokenizerKinds.load(kind.getValue(), directory.resolve(kind.getKey())));
    }
  }

  /**
   * The ids of ai.djl.huggingface:tokenizers 0.38.0, as src/it/interop/tokenizers compares them.
   */
  @Test
  void encode_ofEveryKind_isHuggingFaces() throws IOException {
    JsonNode frozen;
    try (InputStream in = getClass().getResourceAsStream("tokenizer-ids.json")) {
      frozen = TokenizerKinds.JSON.readTree(in);
    }
    assertEquals(KINDS.size(), frozen.get("kinds").size());
    for (Map.Entry<String, JsonNode> kind : frozen.get("kinds").properties()) {
      for (int i = 0; i < kind.getValue().size(); i++) {
        String text = frozen.get("texts").get(i).textValue();
        int[] expected =
            StreamSupport.stream(kind.getValue().get(i).spliterator(), false)
                .mapToInt(JsonNode::intValue)
                .toArray();
        int[] ids = TokenizerKinds.encode(KINDS.get(kind.getKey()), text);
        assertArrayEquals(expected, ids, () -> kind.getKey() + ": " + text);
      }
    }
  }

  @Test
  void encode_writtenAndReadAgain_isTheSame() throws IOException {
    Path copy = directory.resolve("again");
    for (Map.Entry<String, Tokenizer> kind : KINDS.entrySet()) {
      SavedTokenizer.save(kind.getValue(), copy);
      Tokenizer again = SavedTokenizer.load(copy);
      assertEquals(kind.getValue().toString(), again.toString());
      for (String text : TokenizerTexts.byHand()) {
        assertArrayEquals(
            TokenizerKinds.encode(kind.getValue(), text),
            TokenizerKinds.encode(again, text),
            () -> kind.getKey() + ": " + text);
      }
    }
  }

  @Test
  void encode_inPiecesCutWhereItSays_givesTheIdsOfTheWhole() {
    List<String> texts = TokenizerTexts.all();
    Random random = new Random(4);
    Set<String> withoutCuts = new TreeSet<>();
    for (Map.Entry<String, Tokenizer> kind : KINDS.entrySet()) {
      Tokenizer tokenizer = kind.getValue();
      int cuts = 0;
      for (int i = 0; i < 150; i++) {
        String text =
            random
                .ints(8, 0, texts.size())
                .mapToObj(texts::get)
                .collect(Collectors.joining(i % 2 == 0 ? "" : " "));
        int cut = tokenizer.cut(text.substring(0, random.nextInt(text.length() + 1)));
        cuts += cut > 0 ? 1 : 0;
        assertArrayEquals(
            tokenizer.encode(text),
            IntStream.concat(
                    Arrays.stream(tokenizer.encode(text.substring(0, cut))),
                    Arrays.stream(
                        cut == 0
                            ? tokenizer.encode(text)
                            : tokenizer.encodeContinuation(text.substring(cut))))
                .toArray(),
            () -> kind.getKey() + " cut at " + cut + ": " + text);
      }
      if (cuts < 50) {
        withoutCuts.add(kind.getKey());
      }
    }
    assertEquals(new TreeSet<>(WITHOUT_CUTS), withoutCuts);
  }

  /** Whatever the flags of added tokens, and wherever their spellings stand. */
  @Test
  void encode_withoutSpecialTokensAllowed_givesNone() {
    for (Map.Entry<String, Tokenizer> kind : KINDS.entrySet()) {
      Set<Integer> special =
          kind.getValue().specialTokens().stream()
              .filter(token -> !token.content().matches("<unk>|\\[UNK\\]"))
              .map(SpecialToken::id)
              .collect(Collectors.toSet());
      assertTrue(!special.isEmpty());
      for (String text : TokenizerTexts.all()) {
        for (int id : kind.getValue().encode(text)) {
          assertTrue(!special.contains(id), () -> kind.getKey() + ": " + text);
        }
      }
    }
    Tokenizer words = KINDS.get("words-WhitespaceSplit");
    int end = words.endOfText();
    assertArrayEquals(new int[] {0}, words.encode("<|endoftext|>"));
    assertArrayEquals(new int[] {end}, words.encode("<|endoftext|>", AllowedSpecial.ALL));
    Tokenizer whole = KINDS.get("llama3-whole-tokens");
    assertEquals("<|endoftext|>", whole.decode(whole.encode("<|endoftext|>")));
  }

  @Test
  void encode_unpairedSurrogate_isRefusedWithItsIndex() {
    for (Tokenizer tokenizer : KINDS.values()) {
      for (AllowedSpecial allowed : List.of(AllowedSpecial.NONE, AllowedSpecial.ALL)) {
        IllegalArgumentException e =
            org.junit.jupiter.api.Assertions.assertThrows(
                IllegalArgumentException.class,
                () -> tokenizer.encode("<|endoftext|> a\uD83D b", allowed));
        assertTrue(e.getMessage().contains("U+D83D at index 15"), e.getMessage());
      }
    }
  }
}
