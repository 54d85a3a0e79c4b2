package dev.spatz.constraint;

import java.util.Map;

/**
 * Rules by name.
 *
 * @param root the name of the rule that the whole text matches
 */
record Grammar(Map<String, Expression> rules, String root) {
  Grammar {
    rules = Map.copyOf(rules);
  }

  static Grammar of(Expression whole) {
    return new Grammar(Map.of("root", whole), "root");
  }
}
