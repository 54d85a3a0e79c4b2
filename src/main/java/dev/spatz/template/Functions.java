package dev.spatz.template;

import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The functions that every chat template may call. */
final class Functions {
  /** Python's directives → Java's patterns. */
  private static final Map<Character, String> DIRECTIVES =
      Map.ofEntries(
          Map.entry('Y', "yyyy"),
          Map.entry('y', "yy"),
          Map.entry('m', "MM"),
          Map.entry('B', "MMMM"),
          Map.entry('b', "MMM"),
          Map.entry('d', "dd"),
          Map.entry('j', "DDD"),
          Map.entry('A', "EEEE"),
          Map.entry('a', "EEE"),
          Map.entry('H', "HH"),
          Map.entry('I', "hh"),
          Map.entry('M', "mm"),
          Map.entry('S', "ss"),
          Map.entry('p', "a"));

  private Functions() {}

  /** Function → what it does. */
  static Map<String, Callable> at(LocalDateTime now) {
    return Map.of(
        "range", Functions::range,
        "namespace", arguments -> new Namespace(map(arguments, new LinkedHashMap<>())),
        "dict", arguments -> entries(arguments),
        "raise_exception",
            arguments -> {
              throw new TemplateException(
                  Values.print(arguments.require(0, "message"), arguments.budget()).toString());
            },
        "strftime_now", arguments -> Text.of(date(arguments.text(0, "format").toString(), now)));
  }

  private static Object range(Arguments arguments) {
    int first = Values.integer(arguments.require(0, "start"));
    Object second = arguments.get(1, "stop");
    int from = second == null ? 0 : first;
    int to = second == null ? first : Values.integer(second);
    int step = arguments.integer(2, "step", 1);
    if (step == 0) {
      throw new TemplateException("a range's step must not be 0");
    }
    List<Object> values = new ArrayList<>();
    for (long i = from; step > 0 ? i < to : i > to; i += step) {
      arguments.budget().step();
      values.add(i);
    }
    return values;
  }

  private static Map<String, Object> map(Arguments arguments, Map<String, Object> to) {
    if (arguments.get(0, "values", Nothing.NONE) instanceof Map<?, ?> given) {
      given.forEach((key, value) -> to.put(key.toString(), value));
    }
    to.putAll(arguments.allNamed());
    return to;
  }

  private static Map<Object, Object> entries(Arguments arguments) {
    Map<Object, Object> entries = new LinkedHashMap<>();
    if (arguments.get(0, "values", Nothing.NONE) instanceof Map<?, ?> given) {
      entries.putAll(given);
    }
    arguments.allNamed().forEach((key, value) -> entries.put(Text.of(key), value));
    return entries;
  }

  /** As Python's {@code strftime} with English names. */
  private static String date(String format, LocalDateTime now) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      if (format.charAt(i) != '%' || i + 1 == format.length()) {
        text.append(format.charAt(i));
        continue;
      }
      boolean short1 = format.charAt(i + 1) == '-' && i + 2 < format.length();
      i += short1 ? 2 : 1;
      char directive = format.charAt(i);
      String pattern = DIRECTIVES.get(directive);
      if (directive == '%') {
        text.append('%');
      } else if (pattern == null) {
        throw new TemplateException("strftime_now knows no %" + directive);
      } else {
        String part = DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(now);
        text.append(short1 ? part.replaceFirst("^0+(?=.)", "") : part);
      }
    }
    return text.toString();
  }
}
