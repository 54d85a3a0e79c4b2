package dev.spatz.template;

import dev.spatz.template.Token.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Tokens → expressions, with Jinja's precedences: the lower a method stands, the closer it binds.
 */
class ExpressionParser {
  private static final int MOST_DEPTH = 100;
  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
  private static final Set<String> NOT_A_TESTS_ARGUMENT =
      Set.of("else", "or", "and", "is", "if", "in");

  private final List<Token> tokens;
  private int at;
  private int depth;

  ExpressionParser(List<Token> tokens) {
    this.tokens = tokens;
  }

  // ---- tokens ----

  Token peek() {
    return tokens.get(at);
  }

  Token next() {
    return tokens.get(at++);
  }

  /** Makes the last token the next again. */
  void back() {
    at--;
  }

  boolean isSign(String sign) {
    return peek().is(Kind.SIGN, sign);
  }

  boolean isName(String name) {
    return peek().is(Kind.NAME, name);
  }

  boolean skipSign(String sign) {
    boolean there = isSign(sign);
    at += there ? 1 : 0;
    return there;
  }

  boolean skipName(String name) {
    boolean there = isName(name);
    at += there ? 1 : 0;
    return there;
  }

  void requireSign(String sign) {
    if (!skipSign(sign)) {
      throw error("'" + sign + "' is missing before " + peek());
    }
  }

  String requireName() {
    if (peek().kind() != Kind.NAME) {
      throw error("a name is missing before " + peek());
    }
    return next().value();
  }

  TemplateException error(String message) {
    return new TemplateException("line " + peek().line() + ": " + message);
  }

  void enter() {
    if (++depth > MOST_DEPTH) {
      throw error("the template is nested too deeply");
    }
  }

  void leave() {
    depth--;
  }

  // ---- expressions ----

  /** An expression, or several with commas between them, which are a list. */
  Expression tuple() {
    Expression first = expression();
    if (!isSign(",")) {
      return first;
    }
    List<Expression> all = new ArrayList<>(List.of(first));
    while (skipSign(",") && !isSign(")") && !isEnd()) {
      all.add(expression());
    }
    return new Expression.ListOf(all);
  }

  private boolean isEnd() {
    return peek().kind() == Kind.TAG_ENDS || peek().kind() == Kind.OUTPUT_ENDS;
  }

  Expression expression() {
    enter();
    Expression value = or();
    while (skipName("if")) {
      Expression condition = or();
      value = new Expression.Conditional(condition, value, skipName("else") ? expression() : null);
    }
    leave();
    return value;
  }

  /** Without {@code if}, which would be a loop's condition. */
  Expression or() {
    Expression left = and();
    while (skipName("or")) {
      left = new Expression.Binary("or", left, and());
    }
    return left;
  }

  private Expression and() {
    Expression left = not();
    while (skipName("and")) {
      left = new Expression.Binary("and", left, not());
    }
    return left;
  }

  private Expression not() {
    if (!skipName("not")) {
      return comparison();
    }
    enter();
    Expression operand = not();
    leave();
    return new Expression.Unary("not", operand);
  }

  private Expression comparison() {
    Expression first = sum();
    List<String> signs = new ArrayList<>();
    List<Expression> others = new ArrayList<>();
    for (String sign = comparisonSign(); sign != null; sign = comparisonSign()) {
      signs.add(sign);
      others.add(sum());
    }
    return signs.isEmpty() ? first : new Expression.Comparison(first, signs, others);
  }

  private @Nullable String comparisonSign() {
    if (peek().kind() == Kind.SIGN && COMPARISONS.contains(peek().value())) {
      return next().value();
    }
    if (skipName("in")) {
      return "in";
    }
    if (isName("not") && tokens.get(at + 1).is(Kind.NAME, "in")) {
      at += 2;
      return "not in";
    }
    return null;
  }

  private Expression sum() {
    Expression left = concatenation();
    while (isSign("+") || isSign("-")) {
      left = new Expression.Binary(next().value(), left, concatenation());
    }
    return left;
  }

  private Expression concatenation() {
    Expression left = product();
    while (skipSign("~")) {
      left = new Expression.Binary("~", left, product());
    }
    return left;
  }

  private Expression product() {
    Expression left = power();
    while (isSign("*") || isSign("/") || isSign("//") || isSign("%")) {
      left = new Expression.Binary(next().value(), left, power());
    }
    return left;
  }

  private Expression power() {
    Expression left = signed(true);
    while (skipSign("**")) {
      left = new Expression.Binary("**", left, signed(true));
    }
    return left;
  }

  /** Filters and tests are for all of {@code -a}, as in Jinja. */
  private Expression signed(boolean filtered) {
    enter();
    Expression value =
        isSign("-") || isSign("+")
            ? new Expression.Unary(next().value(), signed(false))
            : postfix(primary());
    leave();
    return filtered ? filters(value) : value;
  }

  private Expression postfix(Expression owner) {
    Expression value = owner;
    while (true) {
      if (skipSign(".")) {
        value =
            peek().kind() == Kind.INTEGER
                ? new Expression.Item(value, primary())
                : new Expression.Attribute(value, requireName());
      } else if (skipSign("[")) {
        value = subscript(value);
      } else if (isSign("(")) {
        value = new Expression.Invocation(value, call(""));
      } else {
        return value;
      }
    }
  }

  private Expression subscript(Expression owner) {
    Expression first = isSign(":") ? null : expression();
    if (skipSign("]")) {
      return new Expression.Item(owner, java.util.Objects.requireNonNull(first));
    }
    requireSign(":");
    Expression to = isSign(":") || isSign("]") ? null : expression();
    Expression step = skipSign(":") && !isSign("]") ? expression() : null;
    requireSign("]");
    return new Expression.Slice(owner, first, to, step);
  }

  private Expression filters(Expression operand) {
    Expression value = operand;
    while (true) {
      if (skipSign("|")) {
        value = new Expression.Filtered(value, filter());
      } else if (skipName("is")) {
        boolean negated = skipName("not");
        value = new Expression.Tested(value, test(), negated);
      } else if (isSign("(")) {
        value = new Expression.Invocation(value, call(""));
      } else {
        return value;
      }
    }
  }

  /** A filter's name, and what it is given. */
  Expression.Call filter() {
    String name = requireName();
    return isSign("(") ? call(name) : new Expression.Call(name, List.of(), Map.of());
  }

  private Expression.Call test() {
    String name = peek().kind() == Kind.SIGN ? next().value() : requireName();
    if (isSign("(")) {
      return call(name);
    }
    Kind kind = peek().kind();
    boolean argument =
        kind == Kind.STRING
            || kind == Kind.INTEGER
            || kind == Kind.FLOAT
            || isSign("[")
            || isSign("{")
            || kind == Kind.NAME
                && !NOT_A_TESTS_ARGUMENT.contains(peek().value())
                && !isName("not");
    List<Expression> given = argument ? List.of(postfix(primary())) : List.of();
    return new Expression.Call(name, given, Map.of());
  }

  private Expression.Call call(String name) {
    requireSign("(");
    List<Expression> positional = new ArrayList<>();
    Map<String, Expression> named = new LinkedHashMap<>();
    while (!skipSign(")")) {
      if (peek().kind() == Kind.NAME && tokens.get(at + 1).is(Kind.SIGN, "=")) {
        String parameter = requireName();
        requireSign("=");
        named.put(parameter, expression());
      } else if (named.isEmpty()) {
        positional.add(expression());
      } else {
        throw error("an argument without a name stands after one with a name");
      }
      if (!isSign(")")) {
        requireSign(",");
      }
    }
    return new Expression.Call(name, positional, named);
  }

  private Expression primary() {
    Token token = next();
    return switch (token.kind()) {
      case STRING -> {
        StringBuilder content = new StringBuilder(token.value());
        while (peek().kind() == Kind.STRING) {
          content.append(next().value());
        }
        yield new Expression.Constant(Text.of(content.toString()));
      }
      case INTEGER -> new Expression.Constant(integer(token));
      case FLOAT -> new Expression.Constant(Double.valueOf(token.value()));
      case NAME -> named(token.value());
      case SIGN -> bracketed(token);
      default -> {
        at--;
        throw error("a value is missing before " + token);
      }
    };
  }

  private Long integer(Token token) {
    try {
      return Long.valueOf(token.value());
    } catch (NumberFormatException e) {
      throw error(token.value() + " is too large a number");
    }
  }

  private static Expression named(String name) {
    return switch (name) {
      case "true", "True" -> new Expression.Constant(true);
      case "false", "False" -> new Expression.Constant(false);
      case "none", "None" -> new Expression.Constant(Nothing.NONE);
      default -> new Expression.Variable(name);
    };
  }

  private Expression bracketed(Token token) {
    switch (token.value()) {
      case "(" -> {
        Expression value = isSign(")") ? new Expression.ListOf(List.of()) : tuple();
        requireSign(")");
        return value;
      }
      case "[" -> {
        List<Expression> elements = new ArrayList<>();
        while (!skipSign("]")) {
          elements.add(expression());
          if (!isSign("]")) {
            requireSign(",");
          }
        }
        return new Expression.ListOf(elements);
      }
      case "{" -> {
        List<Expression> keys = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (!skipSign("}")) {
          keys.add(expression());
          requireSign(":");
          values.add(expression());
          if (!isSign("}")) {
            requireSign(",");
          }
        }
        return new Expression.MapOf(keys, values);
      }
      default -> {
        at--;
        throw error("a value is missing before " + token);
      }
    }
  }
}
