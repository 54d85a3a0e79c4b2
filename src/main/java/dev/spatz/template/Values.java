package dev.spatz.template;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The values of a template: {@link Text}, {@code Long}, {@code Double}, {@code Boolean}, {@code
 * List}, {@code Map}, {@link Nothing}, {@link Namespace}, {@link Loop}, {@link Callable}. They
 * behave as Python's.
 */
final class Values {
  private Values() {}

  /** A value of an application; strings that are no {@link Text} are the template's own. */
  static Object of(@Nullable Object value) {
    if (value == null) {
      return Nothing.NONE;
    }
    if (value instanceof Text || value instanceof Boolean) {
      return value;
    }
    if (value instanceof CharSequence text) {
      return Text.of(text.toString());
    }
    if (value instanceof Double || value instanceof Float || value instanceof BigDecimal) {
      return ((Number) value).doubleValue();
    }
    if (value instanceof Number number) {
      return number.longValue();
    }
    if (value instanceof Iterable<?> elements) {
      List<Object> list = new ArrayList<>();
      elements.forEach(element -> list.add(of(element)));
      return list;
    }
    if (value instanceof Map<?, ?> entries) {
      Map<Object, Object> map = new LinkedHashMap<>();
      entries.forEach((key, element) -> map.put(of(key), of(element)));
      return map;
    }
    throw new TemplateException(
        "a variable is a " + value.getClass().getName() + "; give strings, numbers, lists, maps");
  }

  static boolean isTrue(Object value) {
    if (value instanceof Boolean flag) {
      return flag;
    }
    if (value instanceof Number number) {
      return number.doubleValue() != 0;
    }
    boolean sized = value instanceof Text || value instanceof List || value instanceof Map;
    return sized ? size(value) > 0 : !(value instanceof Nothing);
  }

  /** How many characters, elements or entries it has; 0 for others. */
  static int size(Object value) {
    if (value instanceof Text text) {
      return text.length();
    }
    return value instanceof List<?> list
        ? list.size()
        : value instanceof Map<?, ?> map ? map.size() : 0;
  }

  /** Its elements, keys or characters. */
  static List<Object> list(Object value) {
    if (value instanceof List<?> list) {
      return List.copyOf(list);
    }
    List<Object> elements = new ArrayList<>();
    if (value instanceof Map<?, ?> map) {
      elements.addAll(map.keySet());
    } else if (value instanceof Text text) {
      for (int i = 0; i < text.length(); ) {
        int end = i + Character.charCount(Character.codePointAt(text, i));
        elements.add(text.subSequence(i, end));
        i = end;
      }
    } else if (value != Nothing.UNDEFINED) {
      throw new TemplateException(kind(value) + " has no elements");
    }
    return elements;
  }

  /** The value at a key or index; undefined if there is none. */
  static Object item(Object value, Object key) {
    if (key instanceof List || key instanceof Map) {
      return Nothing.UNDEFINED;
    }
    if (value instanceof Map<?, ?> map) {
      Object found = map.get(key);
      return found == null ? Nothing.UNDEFINED : found;
    }
    if (value instanceof Namespace namespace) {
      Object found = namespace.values().get(key.toString());
      return found == null ? Nothing.UNDEFINED : found;
    }
    if (value instanceof Loop loop) {
      return loop.get(key.toString());
    }
    if (key instanceof Long && (value instanceof List || value instanceof Text)) {
      List<Object> elements = list(value);
      long index = (long) key < 0 ? elements.size() + (long) key : (long) key;
      return index < 0 || index >= elements.size() ? Nothing.UNDEFINED : elements.get((int) index);
    }
    return Nothing.UNDEFINED;
  }

  /** A value by which others are found; lists and maps are none. */
  static Object key(Object value) {
    if (value instanceof List || value instanceof Map) {
      throw new TemplateException(kind(value) + " cannot be a key");
    }
    return value;
  }

  static Text text(Object value) {
    if (value instanceof Text text) {
      return text;
    }
    throw new TemplateException("a string is needed, not " + kind(value));
  }

  static int integer(Object value) {
    if (value instanceof Long number && number == number.intValue()) {
      return number.intValue();
    }
    if (value instanceof Boolean flag) {
      return flag ? 1 : 0;
    }
    throw new TemplateException("a whole number is needed, not " + kind(value));
  }

  /** What a value is, for messages. */
  static String kind(Object value) {
    if (value instanceof Text text) {
      return "the string '" + text + "'";
    }
    if (value instanceof Number number) {
      return number(number);
    }
    if (value instanceof Boolean flag) {
      return flag ? "True" : "False";
    }
    if (value instanceof Nothing nothing) {
      return nothing == Nothing.NONE ? "none" : "what is undefined";
    }
    return value instanceof List ? "a list" : value instanceof Map ? "a map" : "a function";
  }

  /** What an expression asks for, for messages. */
  static String describe(Expression expression) {
    if (expression instanceof Expression.Variable variable) {
      return variable.name();
    }
    if (expression instanceof Expression.Attribute attribute) {
      return describe(attribute.owner()) + "." + attribute.name();
    }
    if (expression instanceof Expression.Item item) {
      boolean spelled = item.key() instanceof Expression.Constant;
      Object key = spelled ? ((Expression.Constant) item.key()).constant() : "…";
      return describe(item.owner()) + "[" + key + "]";
    }
    return "a value";
  }

  /** As a template shows it. */
  static Text print(Object value, Budget budget) {
    if (value instanceof Text text) {
      return text;
    }
    if (value == Nothing.UNDEFINED) {
      return Text.EMPTY;
    }
    Text.Builder to = new Text.Builder();
    represent(value, to, budget);
    return to.text();
  }

  /** As Python's {@code repr} does. */
  private static void represent(Object value, Text.Builder to, Budget budget) {
    budget.enter();
    budget.spend(size(value));
    if (value instanceof Text text) {
      quote(text, to);
    } else if (value instanceof List<?> list) {
      String before = "[";
      for (Object element : list) {
        to.append(before);
        represent(element, to, budget);
        before = ", ";
      }
      to.append(list.isEmpty() ? "[]" : "]");
    } else if (value instanceof Map<?, ?> map) {
      String before = "{";
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        to.append(before);
        represent(entry.getKey(), to, budget);
        to.append(": ");
        represent(entry.getValue(), to, budget);
        before = ", ";
      }
      to.append(map.isEmpty() ? "{}" : "}");
    } else if (value instanceof Boolean flag) {
      to.append(flag ? "True" : "False");
    } else if (value == Nothing.NONE) {
      to.append("None");
    } else {
      to.append(value instanceof Number number ? number(number) : kind(value));
    }
    budget.leave();
  }

  private static void quote(Text text, Text.Builder to) {
    String string = text.toString();
    String quote = string.contains("'") && !string.contains("\"") ? "\"" : "'";
    to.append(quote);
    for (int i = 0; i < string.length(); i++) {
      char c = string.charAt(i);
      String spelled =
          switch (c) {
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            case '\\' -> "\\\\";
            default -> quote.charAt(0) == c ? "\\" + c : String.valueOf(c);
          };
      to.append(spelled, text, i);
    }
    to.append(quote);
  }

  /** A number as Python spells it. */
  static String number(Number number) {
    if (!(number instanceof Double value)) {
      return number.toString();
    }
    if (value.isNaN() || value.isInfinite()) {
      return value.isNaN() ? "nan" : value > 0 ? "inf" : "-inf";
    }
    double size = Math.abs(value);
    if (size != 0 && (size < 1e-4 || size >= 1e16)) {
      String[] parts = Double.toString(value).split("E");
      int exponent = Integer.parseInt(parts[1]);
      String digits =
          parts[0].endsWith(".0") ? parts[0].substring(0, parts[0].length() - 2) : parts[0];
      return digits + String.format(Locale.ROOT, "e%+03d", exponent);
    }
    String plain = new BigDecimal(Double.toString(value)).toPlainString();
    return plain.contains(".") ? plain : plain + ".0";
  }
}
