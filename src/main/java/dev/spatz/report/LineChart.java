package dev.spatz.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** A chart of lines over the steps of a run, as SVG; colours come from the page's style. */
final class LineChart {
  private static final int HEIGHT = 260;
  private static final int LEFT = 58;
  private static final int RIGHT = 12;
  private static final int TOP = 10;
  private static final int BOTTOM = 28;
  private static final int TICKS = 5;

  private final int width;
  private final List<Line> lines = new ArrayList<>();

  /** One line: points by rising x. */
  private record Line(String style, boolean dots, double[] x, double[] y) {}

  /** {@code width} is of the drawing's own units, which are about pixels. */
  LineChart(int width) {
    this.width = width;
  }

  /** Adds a line; values that are not finite are left out. */
  LineChart line(String style, boolean dots, double[] x, double[] y) {
    lines.add(new Line(style, dots, x.clone(), y.clone()));
    return this;
  }

  /**
   * The chart.
   *
   * @param title for those who cannot see it
   */
  String svg(String title) {
    double right =
        Math.max(1, lines.stream().flatMapToDouble(l -> Arrays.stream(l.x)).max().orElse(1));
    double[] range = range();
    StringBuilder svg = new StringBuilder();
    append(
        svg,
        "<svg viewBox='0 0 %d %d' role='img' aria-label='%s'>",
        width,
        HEIGHT,
        ReportPage.escape(title));
    grid(svg, right, range[0], range[1]);
    for (Line line : lines) {
      draw(svg, line, right, range[0], range[1]);
    }
    return svg.append("</svg>").toString();
  }

  /** From the smallest value to nearly the largest: a high beginning would flatten the rest. */
  private double[] range() {
    double[] values =
        lines.stream()
            .flatMapToDouble(line -> Arrays.stream(line.y))
            .filter(Double::isFinite)
            .sorted()
            .toArray();
    if (values.length == 0) {
      return new double[] {0, 1};
    }
    double low = values[0];
    double high = values[(int) Math.round(0.98 * (values.length - 1))];
    double margin = high > low ? 0.05 * (high - low) : Math.max(Math.abs(low) * 0.1, 1e-9);
    return new double[] {low - margin, high + margin};
  }

  private void grid(StringBuilder svg, double right, double low, double high) {
    double step = niceStep((high - low) / TICKS);
    for (double y = Math.ceil(low / step) * step; y <= high; y += step) {
      append(
          svg,
          "<line class='grid' x1='%d' x2='%d' y1='%.1f' y2='%3$.1f'/>"
              + "<text class='y' x='%d' y='%3$.1f'>%s</text>",
          LEFT,
          width - RIGHT,
          y(y, low, high),
          LEFT - 6,
          number(y, step));
    }
    double across = Math.max(1, niceStep(right / TICKS));
    for (double x = 0; x <= right; x += across) {
      append(
          svg,
          "<text class='x' x='%.1f' y='%d'>%s</text>",
          x(x, right),
          HEIGHT - 8,
          String.format(Locale.ROOT, "%,d", (long) x));
    }
  }

  private void draw(StringBuilder svg, Line line, double right, double low, double high) {
    StringBuilder path = new StringBuilder();
    StringBuilder dots = new StringBuilder();
    for (int i = 0; i < line.x.length; i++) {
      double value = line.y[i];
      if (!Double.isFinite(value)) {
        continue;
      }
      double y = y(Math.min(value, high), low, high);
      append(path, "%s%.1f %.1f", path.isEmpty() ? "M" : "L", x(line.x[i], right), y);
      if (line.dots) {
        append(
            dots,
            "<circle class='%s' cx='%.1f' cy='%.1f' r='3'><title>step %,d: %.4f</title></circle>",
            line.style,
            x(line.x[i], right),
            y,
            (long) line.x[i],
            value);
      }
    }
    append(svg, "<path class='%s' d='%s'/>%s", line.style, path, dots);
  }

  private double x(double step, double right) {
    return LEFT + step / right * (width - LEFT - RIGHT);
  }

  private static double y(double value, double low, double high) {
    return TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM);
  }

  /** The next of 1, 2, 5 × 10ⁿ that is at least {@code step}. */
  static double niceStep(double step) {
    double power = Math.pow(10, Math.floor(Math.log10(step)));
    for (double factor : new double[] {1, 2, 5}) {
      if (factor * power >= step * (1 - 1e-9)) {
        return factor * power;
      }
    }
    return 10 * power;
  }

  private static String number(double value, double step) {
    if (Math.abs(value) < step / 2) {
      return "0";
    }
    int decimals = (int) Math.max(0, -Math.floor(Math.log10(step)));
    return decimals > 4
        ? String.format(Locale.ROOT, "%.1e", value)
        : String.format(Locale.ROOT, "%,." + decimals + "f", value);
  }

  private static void append(StringBuilder to, String format, Object... values) {
    to.append(String.format(Locale.ROOT, format, values));
  }
}
