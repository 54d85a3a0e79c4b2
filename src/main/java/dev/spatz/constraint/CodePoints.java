package dev.spatz.constraint;

import java.util.ArrayList;
import java.util.List;

/** A set of Unicode code points, without surrogates: ranges by rising first, with gaps between. */
record CodePoints(List<Range> ranges) {
  static final CodePoints ALL =
      new CodePoints(List.of(new Range(0, 0xD7FF), new Range(0xE000, Character.MAX_CODE_POINT)));

  /** From {@code first} to {@code last}, both in it. */
  record Range(int first, int last) {}

  static CodePoints of(int first, int last) {
    return new CodePoints(List.of(new Range(first, last))).and(ALL);
  }

  static CodePoints of(int single) {
    return of(single, single);
  }

  CodePoints or(CodePoints other) {
    List<Range> all = new ArrayList<>(ranges);
    all.addAll(other.ranges);
    all.sort((a, b) -> Integer.compare(a.first, b.first));
    List<Range> merged = new ArrayList<>();
    for (Range range : all) {
      int last = merged.size() - 1;
      if (last >= 0 && range.first <= merged.get(last).last + 1) {
        Range before = merged.get(last);
        merged.set(last, new Range(before.first, Math.max(before.last, range.last)));
      } else {
        merged.add(range);
      }
    }
    return new CodePoints(List.copyOf(merged));
  }

  CodePoints and(CodePoints other) {
    List<Range> both = new ArrayList<>();
    for (Range a : ranges) {
      for (Range b : other.ranges) {
        int first = Math.max(a.first, b.first);
        int last = Math.min(a.last, b.last);
        if (first <= last) {
          both.add(new Range(first, last));
        }
      }
    }
    return new CodePoints(List.copyOf(both));
  }

  CodePoints not() {
    List<Range> rest = new ArrayList<>();
    int next = 0;
    for (Range range : ranges) {
      if (range.first > next) {
        rest.add(new Range(next, range.first - 1));
      }
      next = range.last + 1;
    }
    if (next <= Character.MAX_CODE_POINT) {
      rest.add(new Range(next, Character.MAX_CODE_POINT));
    }
    return new CodePoints(List.copyOf(rest)).and(ALL);
  }

  boolean contains(int c) {
    return ranges.stream().anyMatch(range -> range.first <= c && c <= range.last);
  }

  boolean isEmpty() {
    return ranges.isEmpty();
  }
}
