package dev.spatz.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SplitterTest {
  /** GPT-2's encoder.py, with Unicode's meaning of {@code \s}. */
  private static final Pattern GPT2 =
      pattern("'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+");

  /** Llama 3's tokenizer.json; the number is how many digits stand together. */
  private static Pattern llama(String digits) {
    return pattern(
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}"
            + digits
            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+");
  }

  private static Pattern pattern(String expression) {
    return Pattern.compile(expression, Pattern.UNICODE_CHARACTER_CLASS | Pattern.UNICODE_CASE);
  }

  @ParameterizedTest
  @EnumSource
  void split_randomText_isThatOfTheRegularExpression(Splitter splitter) {
    Random random = new Random(1);
    for (int i = 0; i < 5_000; i++) {
      String text = RandomText.of(random, random.nextInt(12));
      assertEquals(regexSplit(splitter, text), splitter.split(text), text);
    }
  }

  @ParameterizedTest
  @EnumSource
  void split_everyCharacterBetweenOthers_isThatOfTheRegularExpression(Splitter splitter) {
    for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
      if (c >= 0xD800 && c < 0xE000 || c > 0x323B0 && c < 0xE0000 || c > 0xE0200) {
        continue; // surrogates, and planes without assigned characters
      }
      String text = "a" + Character.toString(c) + "1 " + Character.toString(c) + "!";
      assertEquals(regexSplit(splitter, text), splitter.split(text), () -> text);
    }
  }

  @ParameterizedTest
  @EnumSource
  void split_longRuns_looksAtEachCharacterAFewTimesOnly(Splitter splitter) {
    String spaces = " ".repeat(1 << 20);
    assertEquals(List.of(spaces, " x"), splitter.split(spaces + " x"));
    assertEquals(1, splitter.split(spaces).size());
    assertEquals(1, splitter.split("a".repeat(1 << 20)).size());
    assertEquals(1, splitter.split("'".repeat(1 << 20)).size());
    assertEquals(1, splitter.split("\r\n".repeat(1 << 20)).size());
    assertEquals(
        "x",
        splitter
            .split(spaces + "\n" + spaces + "x")
            .get(splitter == Splitter.GPT2 || splitter == Splitter.DIGITS_GPT2 ? 1 : 2)
            .strip());
  }

  @ParameterizedTest
  @EnumSource
  void lastCut_anyPrefixOfRandomText_isABorderOfTheWholeText(Splitter splitter) {
    Random random = new Random(2);
    int cuts = 0;
    for (int i = 0; i < 5_000; i++) {
      String text = RandomText.of(random, 12);
      int cut = splitter.lastCut(text.substring(0, random.nextInt(text.length() + 1)));
      List<String> joined = new ArrayList<>(splitter.split(text.substring(0, cut)));
      joined.addAll(splitter.split(text.substring(cut)));
      assertEquals(splitter.split(text), joined, () -> "cut at " + cut + ": " + text);
      cuts += cut > 0 ? 1 : 0;
    }
    assertTrue(cuts > 3_000, "only " + cuts + " texts had a cut");
  }

  @Test
  void lastCut_knownTexts_isTheLastSafePlace() {
    assertEquals(5, Splitter.GPT2.lastCut("A fox jumps".substring(0, 9)));
    assertEquals(3, Splitter.GPT2.lastCut("fox "));
    assertEquals(3, Splitter.GPT2.lastCut("fox."));
    assertEquals(4, Splitter.GPT2.lastCut("fox.\n"));
    assertEquals(3, Splitter.LLAMA3.lastCut("fox.\n"));
    assertEquals(4, Splitter.LLAMA3.lastCut("fox. \n"));
    assertEquals(4, Splitter.GPT2.lastCut("2024AD"));
    assertEquals(0, Splitter.GPT2.lastCut("fox"));
    assertEquals(0, Splitter.GPT2.lastCut("  \n "));
    assertEquals(0, Splitter.GPT2.lastCut(""));
  }

  @Test
  void lastCut_textEndingInHalfACharacter_waitsForTheOtherHalf() {
    // 𝒳 is a letter: with "a" before it, it is one word.
    assertEquals(0, Splitter.GPT2.lastCut("a" + "𝒳".charAt(0)));
    assertEquals(1, Splitter.GPT2.lastCut("a😀"));
  }

  @Test
  void of_expression_isItsSplitterInEitherSpelling() {
    // As cl100k's expression stands in tiktoken's older files.
    String cl100k =
        "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}"
            + "| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+";
    assertSame(Splitter.LLAMA3, Splitter.of(cl100k));
    Random random = new Random(3);
    for (int i = 0; i < 5_000; i++) {
      String text = RandomText.of(random, random.nextInt(12));
      assertEquals(matches(pattern(cl100k), text), Splitter.LLAMA3.split(text), text);
    }
    assertSame(Splitter.QWEN2, Splitter.of(SplitPattern.QWEN2));
    assertNull(Splitter.of("\\w+"));
  }

  private static List<String> regexSplit(Splitter splitter, String text) {
    return switch (splitter) {
      case GPT2 -> matches(GPT2, text);
      case LLAMA3 -> matches(llama("{1,3}"), text);
      case QWEN2 -> matches(llama(""), text);
      case DIGITS_GPT2 ->
          Arrays.stream(text.split("(?<=\\p{N})|(?=\\p{N})"))
              .flatMap(part -> matches(GPT2, part).stream())
              .toList();
    };
  }

  private static List<String> matches(Pattern pattern, String text) {
    return pattern.matcher(text).results().map(MatchResult::group).toList();
  }
}
