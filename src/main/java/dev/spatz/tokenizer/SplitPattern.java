package dev.spatz.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/**
 * What a text is searched for: a string, or a regular expression as Hugging Face's library (which
 * uses Oniguruma) understands it. Expressions of published models that cost most are matched by
 * hand-written scanners; others by {@link Pattern} with Unicode's classes.
 *
 * <p>Matching stops with an exception when it takes far more steps than the text has characters: an
 * expression may come from a hostile file.
 */
public final class SplitPattern {
  /** GPT-2's expression. */
  public static final String GPT2 = Splitter.GPT2_EXPRESSION;

  /** Llama 3's expression: a number is cut after every third digit. */
  public static final String LLAMA3 = Splitter.LLAMA3_EXPRESSION;

  /** Qwen 2's expression: each digit stands alone. */
  public static final String QWEN2 = Splitter.QWEN2_EXPRESSION;

  private static final int LONGEST = 10_000;
  private static final long STEPS_PER_CHARACTER = 2_000;
  private static final String REFUSED_ESCAPES = "hHKgkXRQEZzG0123456789NOyYVv";

  /**
   * What Oniguruma's {@code \w} matches: letters, marks, digits and connectors, and below U+0100,
   * where its table is older, also the superscripts and fractions there; no joiners.
   */
  private static final String WORD =
      "\\p{IsAlphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{B2}\\x{B3}\\x{B9}\\x{BC}-\\x{BE}";

  private static final Set<String> CATEGORIES =
      Set.of(
          ("L Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po S Sm Sc Sk So"
                  + " Z Zs Zl Zp C Cc Cf Cs Co Cn")
              .split(" "));

  /** Begin and end of a match. */
  record Range(int start, int end) {}

  private final String source;
  private final boolean regex;
  private final Pattern pattern;

  private SplitPattern(String source, boolean regex, Pattern pattern) {
    this.source = source;
    this.regex = regex;
    this.pattern = pattern;
  }

  /**
   * A string that stands for itself.
   *
   * @throws IllegalArgumentException if it is empty
   */
  public static SplitPattern literal(String string) {
    if (string.isEmpty()) {
      throw new IllegalArgumentException("a pattern is empty; it must have a character");
    }
    return new SplitPattern(string, false, Pattern.compile(Pattern.quote(string)));
  }

  /**
   * A regular expression.
   *
   * @throws IllegalArgumentException if it is malformed, longer than 10,000 characters, or uses
   *     what Java's expressions understand differently
   */
  public static SplitPattern regex(String expression) {
    if (expression.length() > LONGEST) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "a regular expression has %,d characters; it may have %,d",
              expression.length(),
              LONGEST));
    }
    int flags =
        Pattern.UNICODE_CHARACTER_CLASS
            | Pattern.UNICODE_CASE
            | Pattern.MULTILINE
            | Pattern.UNIX_LINES;
    try {
      return new SplitPattern(expression, true, Pattern.compile(translate(expression), flags));
    } catch (PatternSyntaxException | StackOverflowError e) {
      String why = e instanceof PatternSyntaxException fault ? fault.getDescription() : "too deep";
      throw new IllegalArgumentException(
          "regular expression " + expression + " cannot be compiled: " + why, e);
    }
  }

  /** {@return the string or expression as given} */
  public String source() {
    return source;
  }

  /** {@return whether it is a regular expression} */
  public boolean isRegex() {
    return regex;
  }

  /** What matches the expression by hand, or null; its matches have no gaps between them. */
  @Nullable Splitter splitter() {
    return regex ? Splitter.of(source) : null;
  }

  String replace(String text, String content) {
    if (!regex) {
      return text.replace(source, content);
    }
    StringBuilder result = new StringBuilder();
    int from = 0;
    for (Range match : matches(text)) {
      result.append(text, from, match.start).append(content);
      from = match.end;
    }
    return result.append(text, from, text.length()).toString();
  }

  /**
   * All matches that are not empty.
   *
   * @throws IllegalArgumentException if the expression takes too many steps on this text
   */
  List<Range> matches(String text) {
    List<Range> ranges = new ArrayList<>();
    Splitter splitter = splitter();
    if (splitter != null) {
      int start = 0;
      for (String piece : splitter.split(text)) {
        ranges.add(new Range(start, start + piece.length()));
        start += piece.length();
      }
      return ranges;
    }
    Matcher matcher = pattern.matcher(new Counted(text, new long[] {allowance(text)}));
    try {
      while (matcher.find()) {
        if (matcher.end() > matcher.start()) {
          ranges.add(new Range(matcher.start(), matcher.end()));
        }
      }
    } catch (StackOverflowError e) {
      throw tooMuch();
    }
    return ranges;
  }

  private static long allowance(String text) {
    return 1_000_000 + STEPS_PER_CHARACTER * text.length();
  }

  private IllegalArgumentException tooMuch() {
    return new IllegalArgumentException(
        "regular expression "
            + source
            + " takes too many steps on this text; it backtracks without bound");
  }

  /** Java's spelling of Unicode properties; refuses what it would understand differently. */
  private static String translate(String expression) {
    if (expression.contains("[[:") || expression.contains("[:^")) {
      throw new IllegalArgumentException(
          "regular expression " + expression + " has a POSIX bracket; this is not implemented");
    }
    StringBuilder java = new StringBuilder();
    int classes = 0; // in whose brackets i is
    for (int i = 0; i < expression.length(); i++) {
      char c = expression.charAt(i);
      if (expression.startsWith("\\w", i) || expression.startsWith("\\W", i)) {
        boolean negated = expression.charAt(++i) == 'W';
        java.append(negated ? "[^" + WORD + "]" : classes > 0 ? WORD : "[" + WORD + "]");
        continue;
      }
      classes += c == '[' ? 1 : c == ']' ? -1 : 0;
      java.append(c);
      if (c != '\\' || i + 1 == expression.length()) {
        continue;
      }
      char escaped = expression.charAt(++i);
      if (REFUSED_ESCAPES.indexOf(escaped) >= 0) {
        throw new IllegalArgumentException(
            "regular expression " + expression + " has \\" + escaped + "; this is not implemented");
      }
      java.append(escaped);
      int close = expression.indexOf('}', i);
      if ((escaped == 'p' || escaped == 'P') && expression.startsWith("{", i + 1) && close > 0) {
        String name = expression.substring(i + 2, close);
        boolean negated = name.startsWith("^");
        if (negated) {
          java.setCharAt(java.length() - 1, escaped == 'p' ? 'P' : 'p');
          name = name.substring(1);
        }
        java.append('{').append(CATEGORIES.contains(name) ? name : "Is" + name).append('}');
        i = close;
      }
    }
    return java.toString();
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof SplitPattern that && regex == that.regex && source.equals(that.source);
  }

  @Override
  public int hashCode() {
    return Objects.hash(source, regex);
  }

  @Override
  public String toString() {
    return source;
  }

  /** A text that gives out its characters only so often. */
  private final class Counted implements CharSequence {
    private final String text;
    private final long[] left;

    Counted(String text, long[] left) {
      this.text = text;
      this.left = left;
    }

    @Override
    public char charAt(int index) {
      if (--left[0] < 0) {
        throw tooMuch();
      }
      return text.charAt(index);
    }

    @Override
    public int length() {
      return text.length();
    }

    @Override
    public CharSequence subSequence(int start, int end) {
      return text.substring(start, end);
    }

    @Override
    public String toString() {
      return text;
    }
  }
}
