package dev.spatz.constraint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.tokenizer.CharacterTokenizer;
import dev.spatz.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConstraintTest {
  private static final String ARITHMETIC =
      """
      # sums and products
      root   ::= sum "\\n"
      sum    ::= term ([+-] term)*
      term   ::= factor
               ( "*" factor
               | "/" factor )*
      factor ::= [0-9]{1,3} | "(" sum ")"
      """;

  /** Whether the machine takes a whole text. */
  private static boolean matches(Constraint constraint, String text) {
    TokenConstraint.Matcher matcher = constraint.forTokens(Writer.BYTES).matcher();
    for (int id : Writer.BYTES.encode(text)) {
      try {
        matcher.accept(id);
      } catch (IllegalArgumentException e) {
        return false;
      }
    }
    return matcher.matches();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a*b|ab*",
        "(ab?c+){2,3}",
        "[a-c]{2}|[^a]b",
        "\\d+(\\.\\d{1,2})?",
        "(?:a|b|)c{0,2}?",
        "[\\w.-]+@\\w+",
        "ä|[à-ü]b?|€",
        "\\p{Lu}\\p{L}*",
        ".{0,3}",
        "\\x41\\u0062[\\]\\-]",
        "^a.c$",
        "((a)(b(c)?)?)*",
        "[^\\d\\s]{1,2}",
        ""
      })
  void regex_isWhatJavaMeans(String expression) {
    Constraint constraint = Constraint.regex(expression);
    Pattern pattern = Pattern.compile(expression);
    Random random = new Random(expression.hashCode());
    String alphabet = "aabbccABd12.@- \näàü€😀]";
    int[] letters = alphabet.codePoints().toArray();
    int positive = 0;
    for (int i = 0; i < 3000; i++) {
      StringBuilder text = new StringBuilder();
      for (int n = random.nextInt(7); n > 0; n--) {
        text.appendCodePoint(letters[random.nextInt(letters.length)]);
      }
      boolean expected = pattern.matcher(text).matches();
      assertEquals(expected, matches(constraint, text.toString()), () -> "\"" + text + "\"");
      positive += expected ? 1 : 0;
    }
    TokenConstraint tokens = constraint.forTokens(Writer.BYTES);
    for (int i = 0; i < 200; i++) {
      String text = Writer.write(Writer.BYTES, tokens, 40, random).orElseThrow();
      assertTrue(pattern.matcher(text).matches(), () -> "\"" + text + "\"");
      positive++;
    }
    assertTrue(positive > 0);
  }

  @ParameterizedTest
  @ValueSource(strings = {"L", "Lu", "M", "Nd", "Pi", "S", "Zs", "C", "Cn", "Co"})
  void category_hasTheCharactersOfJavas(String name) {
    CodePoints set = Categories.of(name);
    Matcher matcher = Pattern.compile("\\p{" + name + "}").matcher("");
    for (int c = 0; c <= Character.MAX_CODE_POINT; c += 1 + c / 1000) {
      if (CodePoints.ALL.contains(c)) {
        boolean expected = matcher.reset(Character.toString(c)).matches();
        assertEquals(expected, set.contains(c), "code point " + c);
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '§',
      value = {
        "(a§\")\" is missing",
        "a)§without",
        "a{2,1}§below the least",
        "*a§nothing to repeat",
        "(?=a)b§look-around",
        "(a)\\1§back reference",
        "a*+§possessive",
        "[b-a]§wrong way round",
        "[a§ends too early",
        "\\p{Foo}§category",
        "\\q§escape",
        "a$b§end of the whole",
        "\\uD800§no character",
        "a{1000000000}§too large",
        "(a{1000}){1000}§too large"
      })
  void wrongRegexes_areRefused(String expression, String part) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> Constraint.regex(expression));
    assertTrue(e.getMessage().contains(part), e.getMessage());
  }

  @Test
  void deepNesting_isRefused_withoutOverflow() {
    assertThrows(
        IllegalArgumentException.class,
        () -> Constraint.regex("(".repeat(100_000) + ")".repeat(100_000)));
    assertThrows(
        IllegalArgumentException.class,
        () -> Constraint.grammar("root ::= " + "(".repeat(100_000) + ")".repeat(100_000)));
    String schema = "{\"items\": ".repeat(3000) + "true" + "}".repeat(3000);
    assertThrows(IllegalArgumentException.class, () -> Constraint.jsonSchema(schema));
  }

  @Test
  void oneOf_writesEveryText_andNoOther() {
    List<String> texts = List.of("ja", "jawohl", "nein", "größer", "");
    TokenConstraint tokens = Constraint.oneOf(texts).forTokens(Writer.BYTES);
    Set<String> written = new HashSet<>();
    Random random = new Random(1);
    for (int i = 0; i < 500; i++) {
      written.add(Writer.write(Writer.BYTES, tokens, 20, random).orElseThrow());
    }
    assertEquals(Set.copyOf(texts), written);
  }

  @Test
  void grammar_ofNestedRules() {
    Constraint constraint = Constraint.grammar(ARITHMETIC);
    for (String right : List.of("1\n", "1+2*3\n", "((4))/5-678\n", "(1+(2-3))*4\n")) {
      assertTrue(matches(constraint, right), right);
    }
    for (String wrong : List.of("", "1", "1+\n", "(1\n", "1234\n", "1)\n")) {
      assertFalse(matches(constraint, wrong), wrong);
    }
    TokenConstraint tokens = constraint.forTokens(Writer.BYTES);
    Random random = new Random(5);
    for (int i = 0; i < 200; i++) {
      String text = Writer.write(Writer.BYTES, tokens, 30, random).orElseThrow();
      assertTrue(matches(constraint, text), text);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '§',
      value = {
        "a ::= \"x\"§no rule root",
        "root ::= b§no rule b",
        "root ::= root \"x\" | \"y\"§can begin with itself",
        "root ::= a? root \"x\" a ::= \"a\"§can begin with itself",
        "root ::= (root)* \"x\"§can begin with itself",
        "root ::= \"x§ends too early",
        "root ::= [z-a]§wrong way round",
        "root ::= \"a\" root§no text",
        "root ::= \"a\" root ::= \"b\"§twice",
        "root = \"x\"§is missing"
      })
  void wrongGrammars_areRefused(String gbnf, String part) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> Constraint.grammar(gbnf));
    assertTrue(e.getMessage().contains(part), e.getMessage());
  }

  @Test
  void fewTokens_areEnoughForTheShortestText() {
    TokenConstraint tokens = Constraint.regex("a[b-d]*e{3}").forTokens(Writer.BYTES);
    Random random = new Random(3);
    for (int most = 4; most < 12; most++) {
      assertTrue(Writer.write(Writer.BYTES, tokens, most, random).isPresent());
    }
    assertTrue(Writer.write(Writer.BYTES, tokens, 3, random).isEmpty());
  }

  @Test
  void characters_ofTheVocabulary_only() {
    Tokenizer characters = CharacterTokenizer.learn(List.of("abcü"));
    TokenConstraint tokens = Constraint.regex("[^c]{3}").forTokens(characters);
    Random random = new Random(3);
    for (int i = 0; i < 50; i++) {
      String text = Writer.write(characters, tokens, 5, random).orElseThrow();
      assertTrue(text.matches("[abü]{3}"), text);
    }
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> Constraint.regex("x").forTokens(characters));
    assertTrue(e.getMessage().contains("characters"), e.getMessage());
  }

  @Test
  void compiledOnce() {
    Constraint constraint = Constraint.regex("a");
    assertSame(constraint.forTokens(Writer.BYTES), constraint.forTokens(Writer.BYTES));
  }

  @Test
  void utf8Sequences_areTheEncodings() {
    Random random = new Random(9);
    for (int i = 0; i < 300; i++) {
      int a = random.nextInt(Character.MAX_CODE_POINT + 1) >> random.nextInt(20);
      int b =
          Math.min(Character.MAX_CODE_POINT, a + (random.nextInt(70_000) >> random.nextInt(16)));
      CodePoints set = CodePoints.of(a, b);
      List<List<Utf8.ByteRange>> sequences = Utf8.sequences(set);
      for (int j = 0; j < 50; j++) {
        int c = Math.max(0, Math.min(Character.MAX_CODE_POINT, a - 5 + random.nextInt(b - a + 10)));
        if (c < 0xD800 || c > 0xDFFF) {
          byte[] bytes = Character.toString(c).getBytes(StandardCharsets.UTF_8);
          assertEquals(
              set.contains(c) ? 1 : 0, sequences.stream().filter(s -> takes(s, bytes)).count());
        }
      }
    }
  }

  private static boolean takes(List<Utf8.ByteRange> sequence, byte[] bytes) {
    if (sequence.size() != bytes.length) {
      return false;
    }
    for (int i = 0; i < bytes.length; i++) {
      int value = bytes[i] & 0xFF;
      if (value < sequence.get(i).first() || value > sequence.get(i).last()) {
        return false;
      }
    }
    return true;
  }
}
