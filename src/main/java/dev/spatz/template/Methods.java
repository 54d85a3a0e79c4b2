package dev.spatz.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** The methods of strings and maps, as Python's; none changes a value. */
final class Methods {
  private Methods() {}

  /** The method of a value, or null if it has none of this name. */
  static @Nullable Callable find(Object value, String name) {
    Callable method =
        value instanceof Map<?, ?> map
            ? ofMap(map, name)
            : value instanceof Text text ? ofText(text, name) : null;
    if (method == null) {
      return null;
    }
    return arguments -> {
      arguments.budget().spend(Values.size(value));
      return method.call(arguments);
    };
  }

  private static @Nullable Callable ofMap(Map<?, ?> map, String name) {
    return switch (name) {
      case "keys" -> arguments -> Values.list(map);
      case "values" -> arguments -> List.copyOf(map.values());
      case "items" -> arguments -> items(map);
      case "get" ->
          arguments -> {
            Object found = map.get(Values.key(arguments.require(0, "key")));
            Object otherwise = arguments.get(1, "default", Nothing.NONE);
            return found == null ? otherwise : found;
          };
      default -> null;
    };
  }

  static List<Object> items(Map<?, ?> map) {
    List<Object> items = new ArrayList<>();
    map.forEach((key, value) -> items.add(List.of(key, value)));
    return items;
  }

  private static @Nullable Callable ofText(Text text, String name) {
    return switch (name) {
      case "strip" -> arguments -> strip(text, arguments, true, true);
      case "lstrip" -> arguments -> strip(text, arguments, true, false);
      case "rstrip" -> arguments -> strip(text, arguments, false, true);
      case "split" -> arguments -> split(text, arguments, false);
      case "rsplit" -> arguments -> split(text, arguments, true);
      case "splitlines" -> arguments -> lines(text);
      case "startswith" -> arguments -> any(arguments, part -> text.toString().startsWith(part));
      case "endswith" -> arguments -> any(arguments, part -> text.toString().endsWith(part));
      case "removeprefix" ->
          arguments -> {
            Text prefix = arguments.text(0, "prefix");
            boolean there = text.toString().startsWith(prefix.toString());
            return there ? text.from(prefix.length()) : text;
          };
      case "removesuffix" ->
          arguments -> {
            Text suffix = arguments.text(0, "suffix");
            boolean there = text.toString().endsWith(suffix.toString());
            return there ? text.subSequence(0, text.length() - suffix.length()) : text;
          };
      case "upper" -> arguments -> mapped(text, Methods::upper);
      case "lower" -> arguments -> mapped(text, Methods::lower);
      case "capitalize" -> arguments -> capitalized(text);
      case "title" -> arguments -> title(text);
      case "replace" ->
          arguments -> {
            Text part = arguments.text(0, "old");
            Text other = arguments.text(1, "new");
            return replace(
                text, part, other, arguments.integer(2, "count", -1), arguments.budget());
          };
      case "find" -> arguments -> index(text, arguments, false);
      case "rfind" -> arguments -> index(text, arguments, true);
      case "count" -> arguments -> count(text, arguments);
      case "join" ->
          arguments -> join(Values.list(arguments.require(0, "list")), text, arguments.budget());
      case "isdigit" -> arguments -> all(text, Character::isDigit);
      case "isalpha" -> arguments -> all(text, Character::isLetter);
      case "isalnum" -> arguments -> all(text, Character::isLetterOrDigit);
      case "isspace" -> arguments -> all(text, Lexer::isSpace);
      case "isupper" -> arguments -> mapped(text, Methods::upper).equals(text) && cased(text);
      case "islower" -> arguments -> mapped(text, Methods::lower).equals(text) && cased(text);
      default -> null;
    };
  }

  private static boolean any(Arguments arguments, java.util.function.Predicate<String> test) {
    Object parts = arguments.require(0, "prefix");
    return parts instanceof Text text
        ? test.test(text.toString())
        : Values.list(parts).stream().anyMatch(part -> test.test(Values.text(part).toString()));
  }

  /** Without white space, or any of the characters that are given, at its ends. */
  static Text strip(Text text, Arguments arguments, boolean left, boolean right) {
    Text characters = arguments.textOrNull(0, "chars");
    arguments.budget().search(text, characters == null ? Text.EMPTY : characters);
    return stripped(text, characters, left, right);
  }

  private static Text stripped(Text text, @Nullable Text characters, boolean left, boolean right) {
    IntPredicate stripped =
        characters == null ? Lexer::isSpace : c -> characters.toString().indexOf(c) >= 0;
    int start = 0;
    int end = text.length();
    while (left && start < end && stripped.test(text.charAt(start))) {
      start++;
    }
    while (right && end > start && stripped.test(text.charAt(end - 1))) {
      end--;
    }
    return text.subSequence(start, end);
  }

  private static List<Object> split(Text given, Arguments arguments, boolean fromRight) {
    Text by = arguments.textOrNull(0, "sep");
    int most = arguments.integer(1, "maxsplit", -1);
    arguments.budget().spend(given.length());
    if (by != null && by.length() == 0) {
      throw new TemplateException("a string cannot be split by the empty one");
    }
    Text text = by == null ? stripped(given, null, !fromRight, fromRight) : given;
    List<int[]> gaps =
        by == null ? spaces(text.toString()) : places(text, by, fromRight, arguments.budget());
    if (most >= 0 && most < gaps.size()) {
      gaps = fromRight ? gaps.subList(gaps.size() - most, gaps.size()) : gaps.subList(0, most);
    }
    List<Object> parts = new ArrayList<>();
    int from = 0;
    for (int[] gap : gaps) {
      parts.add(text.subSequence(from, gap[0]));
      from = gap[1];
    }
    parts.add(text.from(from));
    if (by == null) {
      parts.removeIf(part -> Values.size(part) == 0);
    }
    return parts;
  }

  /** Where white space begins and ends. */
  private static List<int[]> spaces(String text) {
    List<int[]> spaces = new ArrayList<>();
    for (int i = 0; i < text.length(); i++) {
      int from = i;
      while (i < text.length() && Lexer.isSpace(text.charAt(i))) {
        i++;
      }
      if (i > from) {
        spaces.add(new int[] {from, i});
      }
    }
    return spaces;
  }

  /** Where a text has another, in its order. */
  private static List<int[]> places(Text text, Text part, boolean fromRight, Budget budget) {
    budget.search(text, part);
    List<int[]> places = new ArrayList<>();
    String string = text.toString();
    String wanted = part.toString();
    int at = fromRight ? string.lastIndexOf(wanted) : string.indexOf(wanted);
    while (at >= 0) {
      int after = at + wanted.length();
      places.add(new int[] {at, after});
      at =
          fromRight
              ? string.lastIndexOf(wanted, at - wanted.length())
              : string.indexOf(wanted, after);
    }
    if (fromRight) {
      Collections.reverse(places);
    }
    return places;
  }

  private static List<Object> lines(Text text) {
    List<Object> lines = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) == '\n' || text.charAt(i) == '\r') {
        lines.add(text.subSequence(start, i));
        boolean two = text.charAt(i) == '\r' && i + 1 < text.length() && text.charAt(i + 1) == '\n';
        i += two ? 1 : 0;
        start = i + 1;
      }
    }
    if (start < text.length()) {
      lines.add(text.from(start));
    }
    return lines;
  }

  private static long index(Text text, Arguments arguments, boolean fromRight) {
    Text part = arguments.text(0, "sub");
    arguments.budget().search(text, part);
    String string = text.toString();
    return fromRight ? string.lastIndexOf(part.toString()) : string.indexOf(part.toString());
  }

  private static long count(Text text, Arguments arguments) {
    Text part = arguments.text(0, "sub");
    if (part.length() == 0) {
      throw new TemplateException("the empty string cannot be counted");
    }
    return places(text, part, false, arguments.budget()).size();
  }

  /** Each character changed by itself. */
  static Text mapped(Text text, UnaryOperator<String> change) {
    Text.Builder to = new Text.Builder();
    for (int i = 0; i < text.length(); ) {
      int end = i + Character.charCount(Character.codePointAt(text, i));
      to.append(change.apply(text.toString().substring(i, end)), text, i);
      i = end;
    }
    return to.text();
  }

  static String upper(String text) {
    return text.toUpperCase(Locale.ROOT);
  }

  static String lower(String text) {
    return text.toLowerCase(Locale.ROOT);
  }

  static Text capitalized(Text text) {
    int first = text.length() == 0 ? 0 : Character.charCount(Character.codePointAt(text, 0));
    return new Text.Builder()
        .append(mapped(text.subSequence(0, first), Methods::upper))
        .append(mapped(text.from(first), Methods::lower))
        .text();
  }

  static Text title(Text text) {
    Text.Builder to = new Text.Builder();
    boolean inWord = false;
    for (Object character : Values.list(text)) {
      Text one = (Text) character;
      to.append(mapped(one, inWord ? Methods::lower : Methods::upper));
      inWord = Character.isLetter(Character.codePointAt(one, 0));
    }
    return to.text();
  }

  static Text replace(Text text, Text part, Text other, int count, Budget budget) {
    if (part.length() == 0) {
      throw new TemplateException("the empty string cannot be replaced");
    }
    budget.spend(text.length());
    Text.Builder to = new Text.Builder();
    int from = 0;
    List<int[]> places = places(text, part, false, budget);
    for (int[] place : count < 0 ? places : places.subList(0, Math.min(count, places.size()))) {
      budget.spend(other.length());
      to.append(text.subSequence(from, place[0])).append(other);
      from = place[1];
    }
    return to.append(text.from(from)).text();
  }

  static Text join(List<Object> values, Text between, Budget budget) {
    Text.Builder to = new Text.Builder();
    for (int i = 0; i < values.size(); i++) {
      Text next = Values.print(values.get(i), budget);
      budget.spend(next.length() + between.length() + 1);
      to.append(i == 0 ? Text.EMPTY : between).append(next);
    }
    return to.text();
  }

  private static boolean all(Text text, IntPredicate test) {
    return text.length() > 0 && text.toString().codePoints().allMatch(test);
  }

  private static boolean cased(Text text) {
    return text.toString()
        .codePoints()
        .anyMatch(c -> Character.isUpperCase(c) || Character.isLowerCase(c));
  }
}
