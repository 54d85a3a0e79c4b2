package dev.spatz.constraint;

import java.util.Locale;

/** The characters of a notation, one after the other. */
final class CharacterReader {
  static final int END = -1;

  private final String name;
  private final int[] characters;
  private int at;

  CharacterReader(String name, String text) {
    this.name = name;
    this.characters = text.codePoints().toArray();
  }

  int peek() {
    return at < characters.length ? characters[at] : END;
  }

  int peek(int ahead) {
    return at + ahead < characters.length ? characters[at + ahead] : END;
  }

  int next() {
    int c = peek();
    if (c == END) {
      throw fault("it ends too early");
    }
    at++;
    return c;
  }

  /** Takes a text if it comes next. */
  boolean take(String text) {
    int[] wanted = text.codePoints().toArray();
    for (int i = 0; i < wanted.length; i++) {
      if (peek(i) != wanted[i]) {
        return false;
      }
    }
    at += wanted.length;
    return true;
  }

  void require(String text) {
    if (!take(text)) {
      throw fault("\"" + text + "\" is missing");
    }
  }

  int position() {
    return at;
  }

  void back(int position) {
    at = position;
  }

  /** A number of decimal digits, at most 9 of them. */
  int number() {
    int digits = 0;
    int value = 0;
    while (peek() >= '0' && peek() <= '9') {
      value = 10 * value + next() - '0';
      if (++digits > 9) {
        throw fault("the number is too large");
      }
    }
    if (digits == 0) {
      throw fault("a number is missing");
    }
    return value;
  }

  /** A code point of so many hexadecimal digits. */
  int hexadecimal(int digits) {
    int value = 0;
    for (int i = 0; i < digits; i++) {
      int digit = Character.digit(next(), 16);
      if (digit < 0) {
        throw fault(digits + " hexadecimal digits are needed");
      }
      value = 16 * value + digit;
    }
    return codePoint(value);
  }

  int codePoint(int value) {
    if (!Character.isValidCodePoint(value) || value >= 0xD800 && value <= 0xDFFF) {
      throw fault(String.format(Locale.ROOT, "U+%X is no character", value));
    }
    return value;
  }

  IllegalArgumentException fault(String what) {
    int line = 1;
    int column = 1;
    for (int i = 0; i < Math.min(at, characters.length); i++) {
      line += characters[i] == '\n' ? 1 : 0;
      column = characters[i] == '\n' ? 1 : column + 1;
    }
    String place = line == 1 ? "character " + column : "line " + line + ", character " + column;
    return new IllegalArgumentException(name + ", " + place + ": " + what);
  }

  /** A repetition: {@code *}, {@code +}, {@code ?} or {@code {m,n}}, if one comes next. */
  Expression repeated(Expression part) {
    if (take("*")) {
      return new Expression.Repeat(part, 0, Expression.UNBOUNDED);
    }
    if (take("+")) {
      return new Expression.Repeat(part, 1, Expression.UNBOUNDED);
    }
    if (take("?")) {
      return Expression.optional(part);
    }
    if (!take("{")) {
      return part;
    }
    int least = number();
    int most = least;
    if (take(",")) {
      most = peek() == '}' ? Expression.UNBOUNDED : number();
    }
    require("}");
    if (most != Expression.UNBOUNDED && most < least) {
      throw fault("the most (" + most + ") is below the least (" + least + ")");
    }
    return new Expression.Repeat(part, least, most);
  }
}
