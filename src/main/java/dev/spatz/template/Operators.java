package dev.spatz.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What signs do to values. */
final class Operators {
  private Operators() {}

  static Object signed(String sign, Object value) {
    if (value instanceof Long number) {
      return sign.equals("-") ? Math.negateExact(number) : number;
    }
    if (value instanceof Double number) {
      return sign.equals("-") ? -number : number;
    }
    throw new TemplateException(sign + " needs a number, not " + Values.kind(value));
  }

  static Object apply(String sign, Object left, Object right, Budget budget) {
    if (sign.equals("~")) {
      return joined(Values.print(left, budget), Values.print(right, budget), budget);
    }
    if (sign.equals("+") && left instanceof Text first && right instanceof Text second) {
      return joined(first, second, budget);
    }
    if (sign.equals("+") && left instanceof List<?> first && right instanceof List<?> second) {
      budget.spend(first.size() + second.size());
      List<Object> all = new ArrayList<>(first);
      all.addAll(second);
      return all;
    }
    if (sign.equals("*") && left instanceof Text text && right instanceof Long times) {
      return repeated(text, times, budget);
    }
    if (left instanceof Number first && right instanceof Number second) {
      return calculated(sign, first, second);
    }
    throw new TemplateException(
        Values.kind(left) + " " + sign + " " + Values.kind(right) + " is not possible");
  }

  private static Text joined(Text left, Text right, Budget budget) {
    budget.spend(left.length() + right.length());
    return new Text.Builder().append(left).append(right).text();
  }

  private static Text repeated(Text text, long times, Budget budget) {
    long count = text.length() == 0 ? 0 : Math.max(0, times);
    budget.spend(Math.min(count, Integer.MAX_VALUE) * Math.max(1, text.length()));
    Text.Builder to = new Text.Builder();
    for (long i = 0; i < count; i++) {
      to.append(text);
    }
    return to.text();
  }

  private static Number calculated(String sign, Number left, Number right) {
    boolean whole = left instanceof Long && right instanceof Long;
    try {
      if (whole && !sign.equals("/") && !(sign.equals("**") && right.longValue() < 0)) {
        return calculated(sign, left.longValue(), right.longValue());
      }
    } catch (ArithmeticException e) {
      throw new TemplateException(left + " " + sign + " " + right + " is not possible");
    }
    double a = left.doubleValue();
    double b = right.doubleValue();
    if (b == 0 && "//%".contains(sign)) {
      throw new TemplateException(left + " " + sign + " " + right + " is not possible");
    }
    return switch (sign) {
      case "+" -> a + b;
      case "-" -> a - b;
      case "*" -> a * b;
      case "/" -> a / b;
      case "//" -> Math.floor(a / b);
      case "%" -> a - b * Math.floor(a / b);
      default -> Math.pow(a, b);
    };
  }

  private static long calculated(String sign, long a, long b) {
    return switch (sign) {
      case "+" -> Math.addExact(a, b);
      case "-" -> Math.subtractExact(a, b);
      case "*" -> Math.multiplyExact(a, b);
      case "//" -> Math.floorDiv(a, b);
      case "%" -> Math.floorMod(a, b);
      default -> {
        long power = 1;
        for (long i = 0; i < b && power != 0 && !(power == 1 && i > 0); i++) {
          power = Math.multiplyExact(power, a);
        }
        yield a == -1 ? (b % 2 == 0 ? 1 : -1) : power;
      }
    };
  }

  /** Whether two values stand to each other so. */
  static boolean compare(String sign, Object left, Object right, Budget budget) {
    return switch (sign) {
      case "==" -> equal(left, right, budget);
      case "!=" -> !equal(left, right, budget);
      case "in" -> contains(right, left, budget);
      case "not in" -> !contains(right, left, budget);
      case "<" -> order(left, right, budget) < 0;
      case "<=" -> order(left, right, budget) <= 0;
      case ">" -> order(left, right, budget) > 0;
      default -> order(left, right, budget) >= 0;
    };
  }

  static boolean equal(Object left, Object right, Budget budget) {
    budget.enter();
    budget.spend(Values.size(left));
    boolean same;
    if (left instanceof Number && right instanceof Number) {
      same = order(left, right, budget) == 0;
    } else if (left instanceof List<?> first && right instanceof List<?> second) {
      same = first.size() == second.size();
      for (int i = 0; same && i < first.size(); i++) {
        same = equal(first.get(i), second.get(i), budget);
      }
    } else if (left instanceof Map<?, ?> first && right instanceof Map<?, ?> second) {
      same =
          first.size() == second.size()
              && first.entrySet().stream()
                  .allMatch(
                      entry ->
                          second.containsKey(entry.getKey())
                              && equal(entry.getValue(), second.get(entry.getKey()), budget));
    } else {
      same = left == right || isPlain(left) && left.equals(right);
    }
    budget.leave();
    return same;
  }

  private static boolean isPlain(Object value) {
    return value instanceof Text || value instanceof Boolean || value instanceof Nothing;
  }

  static boolean contains(Object whole, Object part, Budget budget) {
    if (whole instanceof Text text) {
      budget.search(text, Values.text(part));
      return text.toString().contains(Values.text(part));
    }
    if (whole instanceof Map<?, ?> map) {
      return map.containsKey(Values.key(part));
    }
    return Values.list(whole).stream().anyMatch(element -> equal(element, part, budget));
  }

  static int order(Object left, Object right, Budget budget) {
    budget.step();
    if (left instanceof Text first && right instanceof Text second) {
      budget.spend(Math.min(first.length(), second.length()) / 16);
      return first.compareTo(second);
    }
    if (left instanceof Long first && right instanceof Long second) {
      return Long.compare(first, second);
    }
    if (left instanceof Number first && right instanceof Number second) {
      return Double.compare(first.doubleValue(), second.doubleValue());
    }
    throw new TemplateException(
        Values.kind(left) + " and " + Values.kind(right) + " have no order");
  }

  /** A part of a list or string, as Python cuts it. */
  static Object slice(
      Object value, @Nullable Integer from, @Nullable Integer to, @Nullable Integer step) {
    if (!(value instanceof Text) && !(value instanceof List)) {
      throw new TemplateException(Values.kind(value) + " cannot be cut");
    }
    List<Object> all = Values.list(value);
    int by = step == null ? 1 : step;
    if (by == 0) {
      throw new TemplateException("a slice's step must not be 0");
    }
    int size = all.size();
    int least = by > 0 ? 0 : -1;
    int most = by > 0 ? size : size - 1;
    long start = from == null ? (by > 0 ? least : most) : clamped(from, size, least, most);
    long stop = to == null ? (by > 0 ? most : least) : clamped(to, size, least, most);
    List<Object> part = new ArrayList<>();
    for (long i = start; by > 0 ? i < stop : i > stop; i += by) {
      part.add(all.get((int) i));
    }
    if (value instanceof List) {
      return part;
    }
    Text.Builder text = new Text.Builder();
    part.forEach(character -> text.append((Text) character));
    return text.text();
  }

  private static int clamped(int index, int size, int least, int most) {
    return Math.max(least, Math.min(most, index < 0 ? index + size : index));
  }
}
