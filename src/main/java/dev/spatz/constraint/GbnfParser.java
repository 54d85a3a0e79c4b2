package dev.spatz.constraint;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** llama.cpp's notation of grammars: {@code name ::= "text" [a-z]+ (other | rule)? # comment}. */
final class GbnfParser {
  private static final int DEEPEST = 200;

  private final CharacterReader in;
  private int depth;

  GbnfParser(String gbnf) {
    this.in = new CharacterReader("grammar", gbnf);
  }

  Grammar parse() {
    Map<String, Expression> rules = new LinkedHashMap<>();
    skip();
    while (in.peek() != CharacterReader.END) {
      String name = name();
      skip();
      in.require("::=");
      if (rules.put(name, choice()) != null) {
        throw in.fault("the rule " + name + " is there twice");
      }
    }
    if (!rules.containsKey("root")) {
      throw in.fault("there is no rule root");
    }
    return new Grammar(rules, "root");
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
      skip();
      int c = in.peek();
      if (c == CharacterReader.END || c == '|' || c == ')' || ruleBegins()) {
        return new Expression.Sequence(parts);
      }
      Expression part = atom();
      Expression repeated = in.repeated(part);
      while (repeated != part) { // "a"{2}? and the like
        part = repeated;
        repeated = in.repeated(part);
      }
      parts.add(part);
    }
  }

  private Expression atom() {
    if (in.take("\"")) {
      List<Expression> characters = new ArrayList<>();
      while (!in.take("\"")) {
        characters.add(new Expression.Characters(CodePoints.of(character())));
      }
      return new Expression.Sequence(characters);
    }
    if (in.take("[")) {
      return new Expression.Characters(characterClass());
    }
    if (in.take("(")) {
      Expression inside = choice();
      skip();
      in.require(")");
      return inside;
    }
    if (in.take(".")) {
      return new Expression.Characters(CodePoints.ALL);
    }
    return new Expression.Reference(name());
  }

  private CodePoints characterClass() {
    boolean not = in.take("^");
    CodePoints set = new CodePoints(List.of());
    while (in.peek() != ']') {
      int first = character();
      int last = first;
      if (in.peek() == '-' && in.peek(1) != ']') {
        in.next();
        last = character();
        if (last < first) {
          throw in.fault("the range is the wrong way round");
        }
      }
      set = set.or(CodePoints.of(first, last));
    }
    in.require("]");
    return not ? set.not() : set;
  }

  private int character() {
    int c = in.next();
    if (c != '\\') {
      return in.codePoint(c);
    }
    c = in.next();
    return switch (c) {
      case 'x' -> in.hexadecimal(2);
      case 'u' -> in.hexadecimal(4);
      case 'U' -> in.hexadecimal(8);
      case 't' -> '\t';
      case 'n' -> '\n';
      case 'r' -> '\r';
      case '\\', '"', '[', ']', '-', '^' -> c;
      default -> throw in.fault("the escape \\" + Character.toString(c) + " is not known");
    };
  }

  private boolean ruleBegins() {
    int before = in.position();
    boolean begins = false;
    if (isName(in.peek())) {
      name();
      skip();
      begins = in.take("::=");
    }
    in.back(before);
    return begins;
  }

  private String name() {
    StringBuilder name = new StringBuilder();
    while (isName(in.peek())) {
      name.appendCodePoint(in.next());
    }
    if (name.isEmpty()) {
      throw in.fault("the name of a rule is missing");
    }
    return name.toString();
  }

  private static boolean isName(int c) {
    return c >= 'a' && c <= 'z'
        || c >= 'A' && c <= 'Z'
        || c >= '0' && c <= '9'
        || c == '-'
        || c == '_';
  }

  /** White space and comments. */
  private void skip() {
    while (true) {
      int c = in.peek();
      if (c == '#') {
        while (in.peek() != '\n' && in.peek() != CharacterReader.END) {
          in.next();
        }
      } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        in.next();
      } else {
        return;
      }
    }
  }
}
