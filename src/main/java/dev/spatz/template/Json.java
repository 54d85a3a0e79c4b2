package dev.spatz.template;

import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Values → JSON, as Python's {@code json.dumps} spells it with transformers' settings. */
final class Json {
  private final @Nullable String indent;
  private final boolean ascii;
  private final boolean sorted;
  private final String between;
  private final String afterKey;
  private final Budget budget;
  private final Text.Builder to = new Text.Builder();

  private Json(Arguments arguments) {
    ascii = arguments.flag(0, "ensure_ascii", false);
    Object width = arguments.get(1, "indent", Nothing.NONE);
    List<Object> separators =
        Values.list(
            arguments.get(2, "separators", Nothing.UNDEFINED) instanceof List<?> two
                ? two
                : List.of());
    sorted = arguments.flag(3, "sort_keys", false);
    budget = arguments.budget();
    indent =
        width == Nothing.NONE
            ? null
            : width instanceof Text text ? text.toString() : " ".repeat(checked(width));
    between = separators.isEmpty() ? (indent == null ? ", " : ",") : separators.get(0).toString();
    afterKey = separators.size() < 2 ? ": " : separators.get(1).toString();
  }

  private static int checked(Object width) {
    int spaces = Values.integer(width);
    if (spaces < 0 || spaces > 100) {
      throw new TemplateException("an indentation of " + spaces + " is not possible");
    }
    return spaces;
  }

  /** The filter {@code tojson}. */
  static Text of(Object value, Arguments arguments) {
    Json json = new Json(arguments);
    json.write(value, 0);
    return json.to.text();
  }

  private void write(Object value, int level) {
    budget.enter();
    if (value instanceof Text text) {
      string(text);
    } else if (value instanceof List<?> list) {
      String before = "[";
      for (Object element : list) {
        to.append(before);
        line(level + 1);
        write(element, level + 1);
        before = between;
      }
      end(list.isEmpty(), "[", "]", level);
    } else if (value instanceof Map<?, ?> map) {
      String before = "{";
      for (Map.Entry<?, ?> entry : ordered(map).entrySet()) {
        to.append(before);
        line(level + 1);
        string(Values.text(entry.getKey()));
        to.append(afterKey);
        write(entry.getValue(), level + 1);
        before = between;
      }
      end(map.isEmpty(), "{", "}", level);
    } else if (value instanceof Number number) {
      to.append(Values.number(number));
    } else if (value instanceof Boolean || value == Nothing.NONE) {
      to.append(value == Nothing.NONE ? "null" : value.toString());
    } else {
      throw new TemplateException(Values.kind(value) + " cannot be written as JSON");
    }
    budget.leave();
  }

  private Map<?, ?> ordered(Map<?, ?> map) {
    return sorted ? new TreeMap<>(map) : Collections.unmodifiableMap(map);
  }

  private void end(boolean empty, String begin, String end, int level) {
    if (empty) {
      to.append(begin);
    } else {
      line(level);
    }
    to.append(end);
  }

  private void line(int level) {
    if (indent != null) {
      budget.spend((long) indent.length() * level);
      to.append("\n" + indent.repeat(level));
    }
  }

  private void string(Text text) {
    budget.spend(text.length());
    to.append("\"");
    for (int i = 0; i < text.length(); i++) {
      to.append(escaped(text.charAt(i)), text, i);
    }
    to.append("\"");
  }

  private String escaped(char c) {
    return switch (c) {
      case '"' -> "\\\"";
      case '\\' -> "\\\\";
      case '\n' -> "\\n";
      case '\r' -> "\\r";
      case '\t' -> "\\t";
      case '\b' -> "\\b";
      case '\f' -> "\\f";
      default ->
          c < ' ' || ascii && c > '~'
              ? String.format(Locale.ROOT, "\\u%04x", (int) c)
              : String.valueOf(c);
    };
  }
}
