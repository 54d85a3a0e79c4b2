package dev.spatz.template;

import java.util.List;
import java.util.Map;

/** The tests, by name. */
final class Tests {
  private Tests() {}

  static boolean apply(String name, Object value, Arguments arguments) {
    arguments.budget().spend(Values.size(value));
    return (boolean) arguments.passTo(given -> holds(name, value, given), "the test " + name);
  }

  private static boolean holds(String name, Object value, Arguments arguments) {
    return switch (name) {
      case "defined" -> value != Nothing.UNDEFINED;
      case "undefined" -> value == Nothing.UNDEFINED;
      case "none" -> value == Nothing.NONE;
      case "string" -> value instanceof Text;
      case "number" -> value instanceof Number || value instanceof Boolean;
      case "integer" -> value instanceof Long;
      case "float" -> value instanceof Double;
      case "boolean" -> value instanceof Boolean;
      case "true" -> value.equals(true);
      case "false" -> value.equals(false);
      case "mapping" -> value instanceof Map;
      case "sequence", "iterable" ->
          value instanceof List || value instanceof Map || value instanceof Text;
      case "callable" -> value instanceof Callable;
      case "upper" ->
          text(value, arguments).equals(Methods.mapped(text(value, arguments), Methods::upper));
      case "lower" ->
          text(value, arguments).equals(Methods.mapped(text(value, arguments), Methods::lower));
      case "odd" -> Math.floorMod(Values.integer(value), 2) == 1;
      case "even" -> Math.floorMod(Values.integer(value), 2) == 0;
      case "divisibleby" ->
          Operators.equal(
              0L,
              Operators.apply("%", value, arguments.require(0, "num"), arguments.budget()),
              arguments.budget());
      case "sameas" -> Operators.equal(value, arguments.require(0, "other"), arguments.budget());
      default ->
          Operators.compare(sign(name), value, arguments.require(0, "other"), arguments.budget());
    };
  }

  private static Text text(Object value, Arguments arguments) {
    return Values.print(value, arguments.budget());
  }

  private static String sign(String name) {
    return switch (name) {
      case "eq", "equalto", "==" -> "==";
      case "ne", "!=" -> "!=";
      case "lt", "lessthan", "<" -> "<";
      case "le", "<=" -> "<=";
      case "gt", "greaterthan", ">" -> ">";
      case "ge", ">=" -> ">=";
      case "in" -> "in";
      default -> throw new TemplateException("there is no test " + name);
    };
  }
}
