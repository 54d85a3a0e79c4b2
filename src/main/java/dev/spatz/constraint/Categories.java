package dev.spatz.constraint;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Unicode's general categories, found out once: there are more than a million code points. */
final class Categories {
  /** By the numbers that {@link Character#getType(int)} has for them; 17 is none. */
  private static final List<String> NAMES =
      List.of(
          "Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Me", "Mc", "Nd", "Nl", "No", "Zs", "Zl", "Zp",
          "Cc", "Cf", "", "Co", "Cs", "Pd", "Ps", "Pe", "Pc", "Po", "Sm", "Sc", "Sk", "So", "Pi",
          "Pf");

  private static final Map<String, CodePoints> SETS = sets();

  private Categories() {}

  /**
   * The characters of a category.
   *
   * @param name such as {@code Lu}, or {@code L} for all of one first letter
   * @return null if there is none of the name
   */
  static @Nullable CodePoints of(String name) {
    return SETS.get(name);
  }

  private static Map<String, CodePoints> sets() {
    Map<String, List<CodePoints.Range>> ranges = new HashMap<>();
    for (CodePoints.Range all : CodePoints.ALL.ranges()) {
      int first = all.first();
      for (int c = all.first(); c <= all.last(); c++) {
        int type = Character.getType(c);
        if (c == all.last() || Character.getType(c + 1) != type) {
          ranges
              .computeIfAbsent(NAMES.get(type), any -> new ArrayList<>())
              .add(new CodePoints.Range(first, c));
          first = c + 1;
        }
      }
    }
    Map<String, CodePoints> sets = new HashMap<>();
    ranges.forEach(
        (name, own) -> {
          CodePoints set = new CodePoints(List.copyOf(own));
          sets.put(name, set);
          sets.merge(name.substring(0, 1), set, CodePoints::or);
        });
    return Map.copyOf(sets);
  }
}
