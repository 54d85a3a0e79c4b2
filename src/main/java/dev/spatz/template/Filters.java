package dev.spatz.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The filters, by name. */
final class Filters {
  private Filters() {}

  static Object apply(String name, Object value, Arguments arguments) {
    arguments.budget().spend(Values.size(value));
    return arguments.passTo(given -> filtered(name, value, given), "the filter " + name);
  }

  private static Object filtered(String name, Object value, Arguments arguments) {
    return switch (name) {
      case "trim" -> Methods.strip(text(value, arguments), arguments, true, true);
      case "upper" -> Methods.mapped(text(value, arguments), Methods::upper);
      case "lower" -> Methods.mapped(text(value, arguments), Methods::lower);
      case "capitalize" -> Methods.capitalized(text(value, arguments));
      case "title" -> Methods.title(text(value, arguments));
      case "replace" ->
          Methods.replace(
              text(value, arguments),
              arguments.text(0, "old"),
              arguments.text(1, "new"),
              arguments.integer(2, "count", -1),
              arguments.budget());
      case "indent" -> indented(text(value, arguments), arguments);
      case "string", "safe" -> text(value, arguments);
      case "int" -> integer(value, arguments);
      case "float" -> real(value, arguments);
      case "abs" ->
          Operators.order(value, 0L, arguments.budget()) < 0 ? Operators.signed("-", value) : value;
      case "round" -> rounded(value, arguments);
      case "tojson" -> Json.of(value, arguments);
      case "default", "d" -> {
        Object otherwise = arguments.get(0, "default_value", Text.EMPTY);
        boolean falseToo = arguments.flag(1, "boolean", false);
        boolean missing = value == Nothing.UNDEFINED || falseToo && !Values.isTrue(value);
        yield missing ? otherwise : value;
      }
      case "length", "count" -> length(value);
      default -> ofList(name, value, arguments);
    };
  }

  private static Text text(Object value, Arguments arguments) {
    return Values.print(value, arguments.budget());
  }

  private static Object ofList(String name, Object value, Arguments arguments) {
    return switch (name) {
      case "list" -> Values.list(value);
      case "items" -> value instanceof Map<?, ?> map ? Methods.items(map) : required(name, value);
      case "dictsort" ->
          value instanceof Map<?, ?> map
              ? sorted(Methods.items(map), item -> Values.item(item, 0L), false, arguments.budget())
              : required(name, value);
      case "first" -> element(Values.list(value), 0);
      case "last" -> element(Values.list(value), Values.list(value).size() - 1);
      case "min", "max" -> extreme(Values.list(value), name.equals("max"), arguments.budget());
      case "sum" -> {
        Object sum = arguments.get(1, "start", 0L);
        for (Object element : attributes(value, arguments.get(0, "attribute"))) {
          sum = Operators.apply("+", sum, element, arguments.budget());
        }
        yield sum;
      }
      case "reverse" -> reversed(value, arguments.budget());
      case "sort" -> {
        boolean down = arguments.flag(0, "reverse", false);
        arguments.flag(1, "case_sensitive", false);
        Object attribute = arguments.get(2, "attribute");
        yield sorted(
            Values.list(value),
            element -> Filters.attribute(element, attribute),
            down,
            arguments.budget());
      }
      case "unique" ->
          unique(Values.list(value), arguments.get(1, "attribute"), arguments.budget());
      case "join" -> {
        Text between = text(arguments.get(0, "d", Text.EMPTY), arguments);
        Object attribute = arguments.get(1, "attribute");
        yield Methods.join(attributes(value, attribute), between, arguments.budget());
      }
      case "map" -> mapped(Values.list(value), arguments);
      case "select", "reject" -> selected(value, arguments, name.equals("select"), false);
      case "selectattr", "rejectattr" ->
          selected(value, arguments, name.equals("selectattr"), true);
      case "groupby" ->
          grouped(Values.list(value), arguments.require(0, "attribute"), arguments.budget());
      default -> throw new TemplateException("there is no filter " + name);
    };
  }

  private static Object required(String name, Object value) {
    throw new TemplateException("the filter " + name + " needs a map, not " + Values.kind(value));
  }

  private static Object length(Object value) {
    if (value instanceof Text text) {
      return (long) text.toString().codePointCount(0, text.length());
    }
    return (long) (value instanceof Map<?, ?> map ? map.size() : Values.list(value).size());
  }

  private static Text indented(Text text, Arguments arguments) {
    Object width = arguments.get(0, "width", 4L);
    boolean first = arguments.flag(1, "first", false);
    boolean blank = arguments.flag(2, "blank", false);
    Text by =
        width instanceof Text given ? given : Text.of(" ".repeat(Values.integer(width) & 0xff));
    Text.Builder to = new Text.Builder();
    int from = 0;
    while (from <= text.length()) {
      int end = text.toString().indexOf('\n', from);
      int stop = end < 0 ? text.length() : end;
      boolean some = stop > from || blank;
      arguments.budget().spend(by.length() + 1L);
      if (from == 0 ? first : some) {
        to.append(by);
      }
      to.append(text.subSequence(from, end < 0 ? stop : stop + 1));
      from = stop + 1;
    }
    return to.text();
  }

  private static Object integer(Object value, Arguments arguments) {
    Object otherwise = arguments.get(0, "default", 0L);
    if (value instanceof Number number) {
      return number.longValue();
    }
    try {
      String text = text(value, arguments).toString().strip();
      return text.contains(".") ? (long) Double.parseDouble(text) : Long.parseLong(text);
    } catch (NumberFormatException e) {
      return value instanceof Boolean flag ? (flag ? 1L : 0L) : otherwise;
    }
  }

  private static Object real(Object value, Arguments arguments) {
    Object otherwise = arguments.get(0, "default", 0.0);
    if (value instanceof Number number) {
      return number.doubleValue();
    }
    try {
      return Double.parseDouble(text(value, arguments).toString());
    } catch (NumberFormatException e) {
      return otherwise;
    }
  }

  private static Object rounded(Object value, Arguments arguments) {
    int digits = arguments.integer(0, "precision", 0);
    String method = text(arguments.get(1, "method", Text.of("common")), arguments).toString();
    double scale = Math.pow(10, digits);
    double scaled =
        (double) real(value, new Arguments(arguments.budget(), List.of(), Map.of())) * scale;
    return switch (method) {
      case "ceil" -> Math.ceil(scaled) / scale;
      case "floor" -> Math.floor(scaled) / scale;
      default -> Math.rint(scaled) / scale;
    };
  }

  private static Object element(List<Object> list, int index) {
    return list.isEmpty() ? Nothing.UNDEFINED : list.get(index);
  }

  private static Object extreme(List<Object> list, boolean largest, Budget budget) {
    Comparator<Object> order = (a, b) -> Operators.order(a, b, budget);
    return list.stream().min(largest ? order.reversed() : order).orElse(Nothing.UNDEFINED);
  }

  private static Object reversed(Object value, Budget budget) {
    List<Object> list = new ArrayList<>(Values.list(value));
    Collections.reverse(list);
    return value instanceof Text ? Methods.join(list, Text.EMPTY, budget) : list;
  }

  /** Strings are sorted and told apart without their case. */
  private static Object key(Object value, Budget budget) {
    budget.spend(Values.size(value) + 1L);
    Object key = Values.key(value);
    return key instanceof Text text ? Text.of(text.toString().toLowerCase(Locale.ROOT)) : key;
  }

  private interface Key {
    Object of(Object element);
  }

  private static List<Object> sorted(List<Object> list, Key key, boolean down, Budget budget) {
    List<Object> sorted = new ArrayList<>(list);
    Comparator<Object> order =
        (a, b) -> Operators.order(key(key.of(a), budget), key(key.of(b), budget), budget);
    sorted.sort(down ? order.reversed() : order);
    return sorted;
  }

  private static List<Object> unique(List<Object> list, @Nullable Object attribute, Budget budget) {
    Map<Object, Object> firsts = new LinkedHashMap<>();
    list.forEach(
        element -> firsts.putIfAbsent(key(attribute(element, attribute), budget), element));
    return List.copyOf(firsts.values());
  }

  private static List<Object> grouped(List<Object> list, Object attribute, Budget budget) {
    Map<Object, List<Object>> groups = new LinkedHashMap<>();
    for (Object element : sorted(list, one -> attribute(one, attribute), false, budget)) {
      groups.computeIfAbsent(attribute(element, attribute), k -> new ArrayList<>()).add(element);
    }
    List<Object> pairs = new ArrayList<>();
    groups.forEach((key, group) -> pairs.add(List.of(key, group)));
    return pairs;
  }

  /** A part of a value by a dotted name; the value itself where there is none. */
  private static Object attribute(Object value, @Nullable Object name) {
    if (name == null || name == Nothing.NONE) {
      return value;
    }
    Object part = value;
    for (String one : name.toString().split("\\.")) {
      boolean index = one.matches("\\d{1,9}");
      part = Values.item(part, index ? (Object) Long.valueOf(one) : Text.of(one));
    }
    return part;
  }

  private static List<Object> attributes(Object value, @Nullable Object name) {
    return Values.list(value).stream().map(element -> attribute(element, name)).toList();
  }

  private static List<Object> mapped(List<Object> list, Arguments arguments) {
    Object attribute = arguments.get(Integer.MAX_VALUE, "attribute");
    if (attribute != null) {
      Object missing = arguments.get(Integer.MAX_VALUE, "default", Nothing.UNDEFINED);
      return list.stream()
          .map(element -> attribute(element, attribute))
          .map(part -> part == Nothing.UNDEFINED ? missing : part)
          .toList();
    }
    String filter = arguments.text(0, "filter").toString();
    List<Object> rest = arguments.rest(1);
    Map<String, Object> named = arguments.allNamed();
    return list.stream()
        .map(element -> apply(filter, element, new Arguments(arguments.budget(), rest, named)))
        .toList();
  }

  private static List<Object> selected(
      Object value, Arguments arguments, boolean wanted, boolean byAttribute) {
    Object attribute = byAttribute ? arguments.require(0, "attribute") : null;
    int at = byAttribute ? 1 : 0;
    Text test = arguments.textOrNull(at, "test");
    List<Object> rest = arguments.rest(at + 1);
    List<Object> selected = new ArrayList<>();
    for (Object element : Values.list(value)) {
      Object tested = attribute(element, attribute);
      boolean holds =
          test == null
              ? Values.isTrue(tested)
              : Tests.apply(
                  test.toString(), tested, new Arguments(arguments.budget(), rest, Map.of()));
      if (holds == wanted) {
        selected.add(element);
      }
    }
    return selected;
  }
}
