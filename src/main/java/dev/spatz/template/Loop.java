package dev.spatz.template;

import java.util.List;

/** Where a loop is. */
record Loop(List<Object> values, int index) {
  Object get(String name) {
    int count = values.size();
    return switch (name) {
      case "index" -> index + 1L;
      case "index0" -> (long) index;
      case "revindex" -> (long) count - index;
      case "revindex0" -> count - index - 1L;
      case "first" -> index == 0;
      case "last" -> index == count - 1;
      case "length" -> (long) count;
      case "previtem" -> index == 0 ? Nothing.UNDEFINED : values.get(index - 1);
      case "nextitem" -> index == count - 1 ? Nothing.UNDEFINED : values.get(index + 1);
      case "cycle" ->
          (Callable)
              arguments -> {
                List<Object> all = arguments.rest(0);
                return all.isEmpty() ? Nothing.UNDEFINED : all.get(index % all.size());
              };
      default -> Nothing.UNDEFINED;
    };
  }
}
