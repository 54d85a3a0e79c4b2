package dev.spatz.constraint;

import java.util.Arrays;
import java.util.List;

/** What texts a part of a grammar stands for. */
sealed interface Expression {
  /** The empty text. */
  Expression EMPTY = new Sequence(List.of());

  /** Without a largest number. */
  int UNBOUNDED = -1;

  /** One character of a set. */
  record Characters(CodePoints set) implements Expression {}

  /** One after the other. */
  record Sequence(List<Expression> parts) implements Expression {}

  /** Any one of them. */
  record Choice(List<Expression> options) implements Expression {}

  /**
   * One several times.
   *
   * @param most or {@link #UNBOUNDED}
   */
  record Repeat(Expression part, int least, int most) implements Expression {
    public Repeat {
      if (least < 0 || most != UNBOUNDED && most < least) {
        throw new IllegalArgumentException(
            "a repetition from " + least + " to " + most + " times is impossible");
      }
    }
  }

  /** What a rule of the grammar stands for. */
  record Reference(String rule) implements Expression {}

  static Expression literal(String text) {
    return new Sequence(
        text.codePoints().mapToObj(c -> (Expression) new Characters(CodePoints.of(c))).toList());
  }

  static Expression sequence(Expression... parts) {
    return new Sequence(List.of(parts));
  }

  static Expression choice(Expression... options) {
    return new Choice(Arrays.asList(options));
  }

  static Expression optional(Expression part) {
    return new Repeat(part, 0, 1);
  }
}
