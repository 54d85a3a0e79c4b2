package dev.spatz.constraint;

import static dev.spatz.constraint.Expression.UNBOUNDED;
import static dev.spatz.constraint.Expression.choice;
import static dev.spatz.constraint.Expression.literal;
import static dev.spatz.constraint.Expression.optional;
import static dev.spatz.constraint.Expression.sequence;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Expressions for the parts of JSON texts (RFC 8259). */
final class JsonText {
  /** After a colon or a comma. */
  static final Expression GAP = optional(literal(" "));

  static final Expression COMMA = sequence(literal(","), GAP);
  static final Expression COLON = sequence(literal(":"), GAP);
  static final Expression QUOTE = literal("\"");

  private static final int DIGITS = 15;
  private static final Map<Integer, String> SHORT =
      Map.of(
          (int) '"',
          "\\\"",
          (int) '\\',
          "\\\\",
          (int) '\n',
          "\\n",
          (int) '\t',
          "\\t",
          (int) '\r',
          "\\r",
          (int) '\b',
          "\\b",
          (int) '\f',
          "\\f");
  private static final CodePoints PLAIN =
      CodePoints.of(0, 0x1F).or(CodePoints.of('"')).or(CodePoints.of('\\')).not();
  private static final Expression DIGIT = new Expression.Characters(CodePoints.of('0', '9'));

  static final Expression INTEGER =
      choice(
          literal("0"),
          sequence(
              optional(literal("-")),
              new Expression.Characters(CodePoints.of('1', '9')),
              new Expression.Repeat(DIGIT, 0, DIGITS - 1)));

  static final Expression NUMBER =
      sequence(
          INTEGER,
          optional(sequence(literal("."), new Expression.Repeat(DIGIT, 1, DIGITS))),
          optional(
              sequence(
                  literal("e"),
                  optional(literal("-")),
                  new Expression.Characters(CodePoints.of('1', '9')),
                  optional(DIGIT))));

  /** Any character within a string. */
  static final Expression CHARACTER = escaped(new Expression.Characters(CodePoints.ALL));

  private JsonText() {}

  static Expression string(Expression content) {
    return sequence(QUOTE, content, QUOTE);
  }

  static Expression string(int least, int most) {
    return string(new Expression.Repeat(CHARACTER, least, most));
  }

  /** Texts as they are spelled within a string. */
  static Expression escaped(Expression text) {
    if (text instanceof Expression.Characters characters) {
      List<Expression> options = new ArrayList<>();
      CodePoints plain = characters.set().and(PLAIN);
      if (!plain.isEmpty()) {
        options.add(new Expression.Characters(plain));
      }
      for (int c = 0; c <= '\\'; c++) {
        if (!PLAIN.contains(c) && characters.set().contains(c)) {
          options.add(literal(SHORT.getOrDefault(c, String.format(Locale.ROOT, "\\u%04x", c))));
        }
      }
      return new Expression.Choice(options);
    }
    if (text instanceof Expression.Sequence sequence) {
      return new Expression.Sequence(sequence.parts().stream().map(JsonText::escaped).toList());
    }
    if (text instanceof Expression.Choice choice) {
      return new Expression.Choice(choice.options().stream().map(JsonText::escaped).toList());
    }
    if (text instanceof Expression.Repeat repeat) {
      return new Expression.Repeat(escaped(repeat.part()), repeat.least(), repeat.most());
    }
    return text;
  }

  /** Elements with commas between them, within brackets. */
  static Expression array(Expression element, int least, int most) {
    if (most == 0) {
      return literal("[]");
    }
    Expression more =
        new Expression.Repeat(
            sequence(COMMA, element), Math.max(0, least - 1), most == UNBOUNDED ? most : most - 1);
    Expression some = sequence(element, more);
    return sequence(literal("["), least == 0 ? optional(some) : some, literal("]"));
  }

  // ---- integers of a range ----

  /** The integers from {@code least} to {@code most}. */
  static Expression integers(long least, long most) {
    List<Expression> options = new ArrayList<>();
    if (least < 0) {
      options.add(sequence(literal("-"), naturals(Math.max(1, -Math.min(most, -1)), -least)));
    }
    if (most >= 0) {
      options.add(naturals(Math.max(0, least), most));
    }
    return new Expression.Choice(options);
  }

  /** By number of digits, and within one number of digits by common beginnings. */
  private static Expression naturals(long least, long most) {
    List<Expression> options = new ArrayList<>();
    long from = least;
    while (from <= most) {
      int digits = Long.toString(from).length();
      long longest = digits >= 18 ? Long.MAX_VALUE : pow(digits) - 1;
      long to = Math.min(most, longest);
      options.add(sameLength(Long.toString(from), Long.toString(to)));
      if (to == most) {
        break;
      }
      from = to + 1;
    }
    return new Expression.Choice(options);
  }

  private static long pow(int digits) {
    long power = 1;
    for (int i = 0; i < digits; i++) {
      power *= 10;
    }
    return power;
  }

  private static Expression sameLength(String from, String to) {
    if (from.isEmpty()) {
      return Expression.EMPTY;
    }
    if (from.equals("0".repeat(from.length())) && to.equals("9".repeat(to.length()))) {
      return new Expression.Repeat(DIGIT, from.length(), from.length());
    }
    char first = from.charAt(0);
    char last = to.charAt(0);
    int rest = from.length() - 1;
    if (first == last) {
      return sequence(digits(first, first), sameLength(from.substring(1), to.substring(1)));
    }
    List<Expression> options = new ArrayList<>();
    options.add(sequence(digits(first, first), sameLength(from.substring(1), "9".repeat(rest))));
    if (last - first > 1) {
      options.add(
          sequence(
              digits((char) (first + 1), (char) (last - 1)),
              new Expression.Repeat(DIGIT, rest, rest)));
    }
    options.add(sequence(digits(last, last), sameLength("0".repeat(rest), to.substring(1))));
    return new Expression.Choice(options);
  }

  private static Expression digits(char first, char last) {
    return new Expression.Characters(CodePoints.of(first, last));
  }
}
