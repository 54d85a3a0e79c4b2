package dev.spatz.generation;

import java.util.Set;

/**
 * "Don't repeat yourself" (p-e-w 2024): a token that would lengthen a repetition of an earlier run
 * of {@code n} tokens loses {@code multiplier · base^(n − allowedLength)} of its logit.
 *
 * @param multiplier of the penalty, not negative; 0: off
 * @param base of the growth, at least 1
 * @param allowedLength shorter repetitions are free; at least 1
 * @param window how many of the last tokens are searched, at least 1
 * @param breakers a token that contains one of these ends a run
 */
public record Dry(
    double multiplier, double base, int allowedLength, int window, Set<String> breakers) {
  /** No penalty; the other values are the usual ones. */
  public static final Dry NONE =
      new Dry(0, 1.75, 2, Integer.MAX_VALUE, Set.of("\n", ":", "\"", "*"));

  /**
   * Checks each value.
   *
   * @throws IllegalArgumentException if one is out of its range
   */
  public Dry {
    Require.that(
        multiplier >= 0 && multiplier < Double.POSITIVE_INFINITY,
        "multiplier",
        multiplier,
        "must be finite and not negative (0 for none)");
    Require.that(
        base >= 1 && base < Double.POSITIVE_INFINITY, "base", base, "must be finite, at least 1");
    Require.that(allowedLength >= 1, "allowedLength", allowedLength, "must be at least 1");
    Require.that(window >= 1, "window", window, "must be at least 1");
    breakers = Set.copyOf(breakers);
    Require.that(!breakers.contains(""), "breakers", breakers, "must not contain an empty one");
  }

  /** This penalty with another multiplier; 0.8 is usual. */
  public Dry withMultiplier(double value) {
    return new Dry(value, base, allowedLength, window, breakers);
  }

  /** This penalty with another base. */
  public Dry withBase(double value) {
    return new Dry(multiplier, value, allowedLength, window, breakers);
  }

  /** This penalty with another length of free repetitions. */
  public Dry withAllowedLength(int value) {
    return new Dry(multiplier, base, value, window, breakers);
  }

  /** This penalty with another window. */
  public Dry withWindow(int value) {
    return new Dry(multiplier, base, allowedLength, value, breakers);
  }

  /** This penalty with other ends of runs. */
  public Dry withBreakers(Set<String> values) {
    return new Dry(multiplier, base, allowedLength, window, values);
  }
}
