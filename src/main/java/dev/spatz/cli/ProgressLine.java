package dev.spatz.cli;

import dev.spatz.training.Evaluation;
import dev.spatz.training.StepReport;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What a person sees of a training run at a moment.
 *
 * @param step steps done
 * @param steps steps of the whole run
 * @param report of the last step, null before the first
 * @param evaluation the last one, null before the first
 */
record ProgressLine(
    long step, long steps, @Nullable StepReport report, @Nullable Evaluation evaluation) {
  private static final int LEAST_BAR = 10;
  private static final int MOST_BAR = 40;

  ProgressLine after(StepReport done) {
    return new ProgressLine(done.step(), done.steps(), done, evaluation);
  }

  ProgressLine after(Evaluation latest) {
    return new ProgressLine(step, steps, report, latest);
  }

  /** The line for a log. */
  String text() {
    return "step %s | %s".formatted(count(), figures());
  }

  /** The line for a terminal, with a bar as long as there is room; cut off at {@code width}. */
  String bar(int width) {
    String before = "%3d%% ".formatted(steps == 0 ? 100 : 100 * step / steps);
    String after = " " + count() + " | " + figures();
    int room = Math.min(MOST_BAR, width - before.length() - after.length() - 2);
    String bar = "";
    if (room >= LEAST_BAR) {
      int full = steps == 0 ? room : (int) (room * step / steps);
      bar = "[" + "=".repeat(full) + " ".repeat(room - full) + "]";
    }
    String line = before + bar + (bar.isEmpty() ? after.stripLeading() : after);
    return line.length() > width ? line.substring(0, width) : line;
  }

  private String count() {
    return format("%,d/%,d", step, steps);
  }

  private String figures() {
    StringBuilder figures = new StringBuilder();
    if (report != null) {
      figures.append(format("loss %.3f", report.loss()));
    }
    if (evaluation != null) {
      figures
          .append(figures.isEmpty() ? "" : " | ")
          .append(
              format(
                  "validation %.3f nats, %.3f bits/byte",
                  evaluation.natsPerToken(), evaluation.bitsPerByte()));
    }
    if (report != null) {
      figures.append(
          format(" | %,.0f tokens/s | %s left", report.tokensPerSecond(), time(left(report))));
    }
    return figures.toString();
  }

  /** By the mean time of the steps so far, evaluations included. */
  private static Duration left(StepReport report) {
    double perStep = (double) report.elapsed().toMillis() / report.step();
    return Duration.ofMillis((long) (perStep * (report.steps() - report.step())));
  }

  /** Hours only where there are any: {@code 2:05} or {@code 1:02:05}. */
  static String time(Duration duration) {
    long seconds = duration.toSeconds();
    return seconds < 3600
        ? format("%d:%02d", seconds / 60, seconds % 60)
        : format("%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
  }

  static String format(String pattern, Object... values) {
    return String.format(Locale.ROOT, pattern, values);
  }
}
