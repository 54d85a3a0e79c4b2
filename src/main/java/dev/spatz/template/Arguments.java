package dev.spatz.template;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a function is called with. Arguments that it does not ask for are refused. */
final class Arguments {
  private final Budget budget;
  private final List<Object> positional;
  private final Map<String, Object> named;
  private final Set<String> asked = new LinkedHashSet<>();
  private int used;

  Arguments(Budget budget, List<Object> positional, Map<String, Object> named) {
    this.budget = budget;
    this.positional = positional;
    this.named = named;
  }

  Budget budget() {
    return budget;
  }

  /** All that have no name, from an index on. */
  List<Object> rest(int from) {
    used = positional.size();
    return positional.subList(Math.min(from, positional.size()), positional.size());
  }

  /** All that have a name. */
  Map<String, Object> allNamed() {
    asked.addAll(named.keySet());
    return named;
  }

  /** The argument at an index or of a name; null if it is not given. */
  @Nullable Object get(int index, String name) {
    if (index < positional.size()) {
      used = Math.max(used, index + 1);
      return positional.get(index);
    }
    asked.add(name);
    return named.get(name);
  }

  Object get(int index, String name, Object otherwise) {
    Object value = get(index, name);
    return value == null ? otherwise : value;
  }

  Object require(int index, String name) {
    Object value = get(index, name);
    if (value == null) {
      throw new TemplateException("an argument is missing: " + name);
    }
    return value;
  }

  Text text(int index, String name) {
    return Values.text(require(index, name));
  }

  /** A text, or null if it is not given or none. */
  @Nullable Text textOrNull(int index, String name) {
    Object value = get(index, name);
    return value == null || value == Nothing.NONE ? null : Values.text(value);
  }

  int integer(int index, String name, int otherwise) {
    Object value = get(index, name);
    return value == null || value == Nothing.NONE ? otherwise : Values.integer(value);
  }

  boolean flag(int index, String name, boolean otherwise) {
    Object value = get(index, name);
    return value == null ? otherwise : Values.isTrue(value);
  }

  /** Calls a function with these, and refuses those that it did not ask for. */
  Object passTo(Callable function, String name) {
    Object result = function.call(this);
    if (used < positional.size()) {
      throw new TemplateException(
          String.format(
              Locale.ROOT, "%s takes %d arguments, not %d", name, used, positional.size()));
    }
    for (String given : named.keySet()) {
      if (!asked.contains(given)) {
        throw new TemplateException(name + " takes no argument " + given);
      }
    }
    return result;
  }
}
