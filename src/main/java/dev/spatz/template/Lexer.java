package dev.spatz.template;

import dev.spatz.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Source → tokens. White space as Jinja has it with {@code trim_blocks} and {@code lstrip_blocks}:
 * a line end right after a tag or comment is dropped, so is white space from a line's beginning to
 * a tag or comment, and all white space on the side of a {@code -}.
 */
final class Lexer {
  private static final Pattern OPENING = Pattern.compile("\\{[%{#]");
  private static final Pattern RAW =
      Pattern.compile(
          "\\{%[-+]?\\s*raw\\s*(-?)%}(.*?)\\{%([-+]?)\\s*endraw\\s*([-+]?)%}", Pattern.DOTALL);
  private static final Pattern NAME = Pattern.compile("[\\p{L}_][\\p{L}\\p{N}_]*");
  private static final Pattern NUMBER =
      Pattern.compile("\\d(?:_?\\d)*(\\.\\d(?:_?\\d)*)?([eE][+-]?\\d+)?");
  private static final List<String> SIGNS =
      List.of(
          "**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")",
          "[", "]", "{", "}", ".", ",", ":", "|");

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int at;
  private int line = 1;
  private int counted;

  private Lexer(String source) {
    this.source = source;
  }

  /** The tokens of a source; the last is its end. */
  static List<Token> tokens(String source) {
    String lines = source.replace("\r\n", "\n").replace('\r', '\n');
    boolean ends = lines.endsWith("\n"); // one line end at the end is the file's
    Lexer lexer = new Lexer(ends ? lines.substring(0, lines.length() - 1) : lines);
    lexer.run();
    return lexer.tokens;
  }

  private void run() {
    Matcher opening = OPENING.matcher(source);
    while (opening.find(at)) {
      int begin = opening.start();
      boolean output = source.charAt(begin + 1) == '{';
      char sign = begin + 2 < source.length() ? source.charAt(begin + 2) : ' ';
      text(begin, sign, output);
      if (source.charAt(begin + 1) == '#') {
        comment(begin);
      } else if (!raw(begin)) {
        at = begin + (sign == '-' || sign == '+' ? 3 : 2);
        add(output ? Kind.OUTPUT_BEGINS : Kind.TAG_BEGINS, source.substring(begin, begin + 2));
        expression(output);
      }
    }
    text(source.length(), ' ', true);
    add(Kind.END, "");
  }

  /** The text up to a tag, without what the tag's own sign or the settings take from it. */
  private void text(int end, char sign, boolean output) {
    int stop = end;
    if (sign == '-') {
      while (stop > at && isSpace(source.charAt(stop - 1))) {
        stop--;
      }
    } else if (!output && sign != '+') {
      int start = stop;
      while (start > at && isSpace(source.charAt(start - 1)) && source.charAt(start - 1) != '\n') {
        start--;
      }
      if (start == 0 || source.charAt(start - 1) == '\n') {
        stop = start;
      }
    }
    if (stop > at) {
      add(Kind.TEXT, source.substring(at, stop));
    }
    at = end;
  }

  private void comment(int begin) {
    int end = source.indexOf("#}", begin + 2);
    if (end < 0) {
      throw error("a comment that begins here does not end");
    }
    at = end + 2;
    afterTag(source.charAt(end - 1), true);
  }

  private boolean raw(int begin) {
    Matcher raw = RAW.matcher(source).region(begin, source.length());
    if (!raw.lookingAt()) {
      return false;
    }
    String text = raw.group(1).isEmpty() ? raw.group(2) : raw.group(2).stripLeading();
    add(Kind.TEXT, raw.group(3).equals("-") ? text.stripTrailing() : text);
    at = raw.end();
    afterTag(raw.group(4).isEmpty() ? ' ' : raw.group(4).charAt(0), true);
    return true;
  }

  /** Skips what the end of a tag takes from the text after it. */
  private void afterTag(char sign, boolean dropsLineEnd) {
    if (sign == '-') {
      skipSpace();
    } else if (dropsLineEnd && sign != '+' && at < source.length() && source.charAt(at) == '\n') {
      at++;
    }
  }

  private void skipSpace() {
    while (at < source.length() && isSpace(source.charAt(at))) {
      at++;
    }
  }

  /** The tokens of a tag or output, and its end. */
  private void expression(boolean output) {
    String end = output ? "}}" : "%}";
    for (int depth = 0; ; ) {
      skipSpace();
      if (at >= source.length()) {
        throw error("a tag does not end");
      }
      char next = source.charAt(at);
      boolean signed = (next == '-' || next == '+' && !output) && source.startsWith(end, at + 1);
      if (depth == 0 && (signed || source.startsWith(end, at))) {
        add(output ? Kind.OUTPUT_ENDS : Kind.TAG_ENDS, end);
        at += signed ? 3 : 2;
        afterTag(signed ? next : ' ', !output);
        return;
      }
      if (next == '\'' || next == '"') {
        string(next);
      } else if (!match(NAME, Kind.NAME) && !number()) {
        String sign = sign();
        depth += "([{".contains(sign) ? 1 : ")]}".contains(sign) ? -1 : 0;
      }
    }
  }

  private boolean match(Pattern pattern, Kind kind) {
    Matcher matcher = pattern.matcher(source).region(at, source.length());
    if (!matcher.lookingAt()) {
      return false;
    }
    add(kind, matcher.group());
    at = matcher.end();
    return true;
  }

  private boolean number() {
    Matcher matcher = NUMBER.matcher(source).region(at, source.length());
    if (!matcher.lookingAt()) {
      return false;
    }
    boolean whole = matcher.group(1) == null && matcher.group(2) == null;
    add(whole ? Kind.INTEGER : Kind.FLOAT, matcher.group().replace("_", ""));
    at = matcher.end();
    return true;
  }

  private String sign() {
    for (String sign : SIGNS) {
      if (source.startsWith(sign, at)) {
        add(Kind.SIGN, sign);
        at += sign.length();
        return sign;
      }
    }
    throw error("'" + source.charAt(at) + "' means nothing here");
  }

  private void string(char quote) {
    StringBuilder content = new StringBuilder();
    int i = at + 1;
    for (; i < source.length() && source.charAt(i) != quote; i++) {
      char c = source.charAt(i);
      if (c == '\\' && i + 1 < source.length()) {
        i++;
        i += escape(source.charAt(i), i, content);
      } else {
        content.append(c);
      }
    }
    if (i >= source.length()) {
      throw error("a string does not end");
    }
    add(Kind.STRING, content.toString());
    at = i + 1;
  }

  /** Adds what an escape stands for; returns how many characters more it takes. */
  private int escape(char c, int i, StringBuilder content) {
    int digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (digits > 0) {
      try {
        content.appendCodePoint(Integer.parseInt(source.substring(i + 1, i + 1 + digits), 16));
        return digits;
      } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
        throw error("\\" + c + " needs " + digits + " hexadecimal digits of a character");
      }
    }
    int known = "ntr\\'\"0abfv\n".indexOf(c);
    if (known < 0) {
      content.append('\\').append(c);
    } else if (c != '\n') {
      content.append("\n\t\r\\'\"\0\u0007\b\f\u000B".charAt(known));
    }
    return 0;
  }

  private void add(Kind kind, String value) {
    tokens.add(new Token(kind, value, line()));
  }

  private int line() {
    for (; counted < at; counted++) {
      line += source.charAt(counted) == '\n' ? 1 : 0;
    }
    return line;
  }

  private TemplateException error(String message) {
    return new TemplateException("line " + line() + ": " + message);
  }

  static boolean isSpace(int c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
  }
}
