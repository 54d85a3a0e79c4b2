package dev.spatz.constraint;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Regular expressions as {@link Constraint#regex} describes them. */
final class RegexParser {
  private static final CodePoints DIGITS = CodePoints.of('0', '9');
  private static final CodePoints WORD =
      DIGITS.or(CodePoints.of('a', 'z')).or(CodePoints.of('A', 'Z')).or(CodePoints.of('_'));
  private static final CodePoints SPACE = CodePoints.of('\t', '\r').or(CodePoints.of(' '));
  private static final CodePoints ANY = CodePoints.of('\n').or(CodePoints.of('\r')).not();
  private static final int DEEPEST = 200;

  private final CharacterReader in;
  private int depth;

  RegexParser(String expression) {
    this.in = new CharacterReader("regular expression", expression);
  }

  /** An expression for the whole text. */
  Expression parseWhole() {
    in.take("^");
    return parseToEnd();
  }

  /** An expression for a part of a text, as a search looks for it. */
  Expression parseSearched(Expression before, Expression after) {
    boolean fromBegin = in.take("^");
    Expression part = choice();
    boolean toEnd = in.take("$");
    requireEnd();
    return Expression.sequence(
        fromBegin ? Expression.EMPTY : before, part, toEnd ? Expression.EMPTY : after);
  }

  private Expression parseToEnd() {
    Expression whole = choice();
    in.take("$");
    requireEnd();
    return whole;
  }

  private void requireEnd() {
    if (in.peek() != CharacterReader.END) {
      throw in.fault(
          in.peek() == ')'
              ? "\")\" without \"(\""
              : "\"$\" is known only at the end of the whole expression");
    }
  }

  private Expression choice() {
    if (++depth > DEEPEST) {
      throw in.fault("groups are nested deeper than " + DEEPEST);
    }
    List<Expression> options = new ArrayList<>();
    do {
      options.add(sequence());
    } while (in.take("|"));
    depth--;
    return options.size() == 1 ? options.get(0) : new Expression.Choice(options);
  }

  private Expression sequence() {
    List<Expression> parts = new ArrayList<>();
    while (true) {
      int c = in.peek();
      if (c == CharacterReader.END || c == '|' || c == ')' || c == '$') {
        return new Expression.Sequence(parts);
      }
      Expression part = in.repeated(atom());
      if (part instanceof Expression.Repeat) {
        in.take("?"); // lazy: the same texts
        if (in.peek() == '+') {
          throw in.fault("possessive repetitions are not known");
        }
      }
      parts.add(part);
    }
  }

  private Expression atom() {
    int c = in.next();
    return switch (c) {
      case '(' -> group();
      case '[' -> new Expression.Characters(characterClass());
      case '.' -> new Expression.Characters(ANY);
      case '\\' -> new Expression.Characters(escape());
      case '^' -> throw in.fault("\"^\" is known only at the beginning of the whole expression");
      case '*', '+', '?', '{' ->
          throw in.fault("nothing to repeat before \"" + Character.toString(c) + "\"");
      default -> new Expression.Characters(CodePoints.of(c));
    };
  }

  private Expression group() {
    if (in.peek() == '?' && !in.take("?:")) {
      boolean look = in.peek(1) == '=' || in.peek(1) == '!' || in.peek(1) == '<';
      throw in.fault(look ? "look-around is not known" : "this kind of group is not known");
    }
    Expression inside = choice();
    in.require(")");
    return inside;
  }

  private CodePoints characterClass() {
    boolean not = in.take("^");
    CodePoints set = new CodePoints(List.of());
    boolean first = true;
    while (first || in.peek() != ']') {
      first = false;
      if (in.peek() == '[' || in.peek() == '&' && in.peek(1) == '&') {
        throw in.fault("classes within classes are not known; escape the character");
      }
      CodePoints from = classCharacter();
      if (in.peek() == '-' && in.peek(1) != ']') {
        in.next();
        CodePoints to = classCharacter();
        set = set.or(range(from, to));
      } else {
        set = set.or(from);
      }
    }
    in.require("]");
    return not ? set.not() : set;
  }

  private CodePoints classCharacter() {
    int c = in.next();
    return c == '\\' ? escape() : CodePoints.of(c);
  }

  private CodePoints range(CodePoints from, CodePoints to) {
    int first = single(from);
    int last = single(to);
    if (last < first) {
      throw in.fault("the range is the wrong way round");
    }
    return CodePoints.of(first, last);
  }

  private int single(CodePoints set) {
    if (set.ranges().size() != 1 || set.ranges().get(0).first() != set.ranges().get(0).last()) {
      throw in.fault("a range needs single characters");
    }
    return set.ranges().get(0).first();
  }

  private CodePoints escape() {
    int c = in.next();
    return switch (c) {
      case 'd' -> DIGITS;
      case 'D' -> DIGITS.not();
      case 'w' -> WORD;
      case 'W' -> WORD.not();
      case 's' -> SPACE;
      case 'S' -> SPACE.not();
      case 't' -> CodePoints.of('\t');
      case 'n' -> CodePoints.of('\n');
      case 'r' -> CodePoints.of('\r');
      case 'f' -> CodePoints.of('\f');
      case 'u' -> CodePoints.of(in.hexadecimal(4));
      case 'x' -> CodePoints.of(in.peek() == '{' ? braced() : in.hexadecimal(2));
      case 'p' -> category();
      case 'P' -> category().not();
      default -> {
        if (c < 128 && Character.isLetterOrDigit(c)) {
          throw in.fault(
              (Character.isDigit(c) ? "back reference" : "escape")
                  + " \\"
                  + Character.toString(c)
                  + " is not known");
        }
        yield CodePoints.of(c);
      }
    };
  }

  private int braced() {
    in.require("{");
    int value = 0;
    while (in.peek() != '}') {
      int digit = Character.digit(in.next(), 16);
      value = 16 * value + digit;
      if (digit < 0 || value > Character.MAX_CODE_POINT) {
        throw in.fault("hexadecimal digits of a character are needed");
      }
    }
    in.require("}");
    return in.codePoint(value);
  }

  private CodePoints category() {
    StringBuilder name = new StringBuilder();
    if (in.take("{")) {
      while (in.peek() != '}') {
        name.appendCodePoint(in.next());
      }
      in.require("}");
    } else {
      name.appendCodePoint(in.next());
    }
    CodePoints set = Categories.of(name.toString().replaceFirst("^Is", ""));
    if (set == null) {
      throw in.fault(
          String.format(Locale.ROOT, "the category %s is not known; use such as L or Nd", name));
    }
    return set;
  }
}
