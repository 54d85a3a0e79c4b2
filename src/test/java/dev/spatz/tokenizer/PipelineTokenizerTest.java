package dev.spatz.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class PipelineTokenizerTest {
  private static final int LENGTH = 1 << 20;

  /** An end-of-text token, and 1, 2, 4, … 128 times each unit. */
  private static TokenModel.BytePair doublings(String... units) {
    List<String> vocabulary = new ArrayList<>(List.of("<end>"));
    List<Merge> merges = new ArrayList<>();
    for (String unit : units) {
      vocabulary.add(unit);
      for (int times = 2; times <= 128; times *= 2) {
        int half = vocabulary.size() - 1;
        merges.add(new Merge(half, half));
        vocabulary.add(unit.repeat(times));
      }
    }
    return new TokenModel.BytePair(
        vocabulary, merges, new TokenModel.BytePairOptions(null, false, false, false));
  }

  @Test
  void merge_longWordOfOneCharacter_costsNLogN() {
    TokenModel.BytePair model = doublings("a", "Ġ", "▁");
    for (String unit : List.of("a", "Ġ", "▁", "x")) {
      PieceMerger merger = model.merger();
      int[] ids = model.encode(unit.repeat(LENGTH), merger);
      assertEquals("x".equals(unit) ? 0 : LENGTH / 128, ids.length);
      assertTrue(merger.work() <= 4L * LENGTH * 20, unit + " took " + merger.work() + " steps");
    }
  }

  @Test
  void encode_longWordOfOneCharacter_isItsLongestTokens() {
    SplitPattern llama = SplitPattern.regex("\\p{L}+|\\s+(?!\\S)|\\s+");
    List<PreTokenizer> kinds =
        List.of(
            new PreTokenizer.ByteLevel(false, true),
            new PreTokenizer.Sequence(
                List.of(
                    new PreTokenizer.Split(llama, PreTokenizer.Behavior.ISOLATED, false),
                    new PreTokenizer.ByteLevel(false, false))));
    for (PreTokenizer kind : kinds) {
      PipelineTokenizer tokenizer =
          new PipelineTokenizer(
              new PipelineTokenizer.Parts(
                  List.of(new AddedToken("<end>", 0, false, false, false, false, true)),
                  Normalizer.NONE,
                  kind,
                  doublings("a", "Ġ"),
                  new TokenDecoder.ByteLevel()),
              0,
              OptionalInt.empty());
      for (String unit : List.of("a", " ")) {
        String text = unit.repeat(LENGTH);
        int[] ids = tokenizer.encode(text);
        assertEquals(LENGTH / 128, ids.length);
        assertEquals(text, tokenizer.decode(ids));
      }
    }
  }
}
