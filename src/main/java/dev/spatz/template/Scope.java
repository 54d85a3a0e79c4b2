package dev.spatz.template;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The variables that a part of a template sees. */
final class Scope {
  private final @Nullable Scope outer;
  private final Budget budget;
  private final Map<String, Object> variables = new HashMap<>();

  /** The outermost. */
  Scope(Budget budget) {
    this.outer = null;
    this.budget = budget;
  }

  /** One inside of another. */
  Scope(Scope outer) {
    this.outer = outer;
    this.budget = outer.budget;
  }

  Budget budget() {
    return budget;
  }

  Object get(String name) {
    for (Scope scope = this; scope != null; scope = scope.outer) {
      Object value = scope.variables.get(name);
      if (value != null) {
        return value;
      }
    }
    return Nothing.UNDEFINED;
  }

  void set(String name, Object value) {
    variables.put(name, value);
  }

  /** Sets one variable to a value, or several to its elements. */
  void assign(List<String> names, Object value) {
    if (names.size() == 1) {
      set(names.get(0), value);
      return;
    }
    List<Object> values = Values.list(value);
    if (values.size() != names.size()) {
      throw new TemplateException(
          String.format(
              Locale.ROOT,
              "%d values cannot be given to %s",
              values.size(),
              String.join(", ", names)));
    }
    for (int i = 0; i < names.size(); i++) {
      set(names.get(i), values.get(i));
    }
  }
}
