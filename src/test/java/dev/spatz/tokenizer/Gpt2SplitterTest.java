package dev.spatz.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class Gpt2SplitterTest {
  /** GPT-2's encoder.py, with Unicode's meaning of {@code \s}. */
  private static final Pattern GPT2 =
      Pattern.compile(
          "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
          Pattern.UNICODE_CHARACTER_CLASS);

  @Test
  void split_randomText_isThatOfTheRegularExpression() {
    Random random = new Random(1);
    for (int i = 0; i < 5_000; i++) {
      String text = RandomText.of(random, random.nextInt(12));
      assertEquals(regexSplit(text), split(text), text);
    }
  }

  @Test
  void split_everyCharacterBetweenOthers_isThatOfTheRegularExpression() {
    for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
      if (c >= 0xD800 && c < 0xE000 || c > 0x323B0 && c < 0xE0000 || c > 0xE0200) {
        continue; // surrogates, and planes without assigned characters
      }
      String text = "a" + Character.toString(c) + "1 " + Character.toString(c) + "!";
      assertEquals(regexSplit(text), split(text), () -> text);
    }
  }

  @Test
  void split_longRuns_looksAtEachCharacterAFewTimesOnly() {
    String spaces = " ".repeat(1 << 20);
    assertEquals(List.of(spaces, " x"), split(spaces + " x"));
    assertEquals(List.of(spaces, "\n", "x"), split(spaces + "\nx"));
    assertEquals(1, split("a".repeat(1 << 20)).size());
    assertEquals(1, split("'".repeat(1 << 20)).size());
  }

  @Test
  void lastCut_anyPrefixOfRandomText_isABorderOfTheWholeText() {
    Random random = new Random(2);
    int cuts = 0;
    for (int i = 0; i < 5_000; i++) {
      String text = RandomText.of(random, 12);
      int cut = Gpt2Splitter.lastCut(text.substring(0, random.nextInt(text.length() + 1)));
      List<String> joined = new ArrayList<>(split(text.substring(0, cut)));
      joined.addAll(split(text.substring(cut)));
      assertEquals(split(text), joined, () -> "cut at " + cut + ": " + text);
      cuts += cut > 0 ? 1 : 0;
    }
    assertTrue(cuts > 3_000, "only " + cuts + " texts had a cut");
  }

  @Test
  void lastCut_knownTexts_isTheLastSafePlace() {
    assertEquals(5, Gpt2Splitter.lastCut("A fox jumps".substring(0, 9)));
    assertEquals(3, Gpt2Splitter.lastCut("fox "));
    assertEquals(3, Gpt2Splitter.lastCut("fox."));
    assertEquals(4, Gpt2Splitter.lastCut("fox.\n"));
    assertEquals(4, Gpt2Splitter.lastCut("2024AD"));
    assertEquals(0, Gpt2Splitter.lastCut("fox"));
    assertEquals(0, Gpt2Splitter.lastCut("  \n "));
    assertEquals(0, Gpt2Splitter.lastCut(""));
  }

  @Test
  void lastCut_textEndingInHalfACharacter_waitsForTheOtherHalf() {
    // 𝒳 is a letter: with "a" before it, it is one word.
    assertEquals(0, Gpt2Splitter.lastCut("a" + "𝒳".charAt(0)));
    assertEquals(1, Gpt2Splitter.lastCut("a😀"));
  }

  private static List<String> split(String text) {
    List<String> pieces = new ArrayList<>();
    for (int start = 0, end; start < text.length(); start = end) {
      end = Gpt2Splitter.end(text, start);
      pieces.add(text.substring(start, end));
    }
    return pieces;
  }

  private static List<String> regexSplit(String text) {
    return GPT2.matcher(text).results().map(MatchResult::group).toList();
  }
}
