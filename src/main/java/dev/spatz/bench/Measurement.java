package dev.spatz.bench;

import java.util.List;
import java.util.Locale;
import org.apache.commons.math3.stat.StatUtils;

/**
 * What was measured, as one line.
 *
 * @param name of the measurement, such as {@code train baby}
 * @param configuration what was measured, in words
 * @param unit what the times are of, such as {@code step}
 * @param medianMillis median time of a unit
 * @param leastMillis shortest time of a unit
 * @param figures what follows from the times, each with its unit
 */
public record Measurement(
    String name,
    String configuration,
    String unit,
    double medianMillis,
    double leastMillis,
    List<String> figures) {
  private static final double MILLIS = 1e3;
  private static final int MEDIAN = 50;

  /** An immutable measurement. */
  public Measurement {
    figures = List.copyOf(figures);
  }

  /** A measurement of repetitions. */
  static Measurement of(
      String name, String configuration, String unit, double[] seconds, String... figures) {
    return new Measurement(
        name,
        configuration,
        unit,
        median(seconds) * MILLIS,
        least(seconds) * MILLIS,
        List.of(figures));
  }

  static double median(double[] seconds) {
    return StatUtils.percentile(seconds, MEDIAN);
  }

  static double least(double[] seconds) {
    return StatUtils.min(seconds);
  }

  /** How many threads, in words. */
  static String threads(int count) {
    return count == 1 ? "1 thread" : count + " threads";
  }

  /** The same in every locale. */
  static String format(String pattern, Object... values) {
    return String.format(Locale.ROOT, pattern, values);
  }

  /** The line; those of several measurements are aligned. */
  @Override
  public String toString() {
    return format(
        "%-12s %-84s %,11.3f ms/%-5s min %,11.3f | %s",
        name, configuration, medianMillis, unit, leastMillis, String.join(" | ", figures));
  }
}
