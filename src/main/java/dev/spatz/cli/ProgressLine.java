package dev.spatz.cli;

import dev.spatz.training.Evaluation;
import dev.spatz.training.PreferenceEvaluation;
import dev.spatz.training.StepReport;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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
  private static final Words LONG =
      new Words(
          "validation %.3f nats, %.3f bits/byte",
          "validation %.3f, chosen preferred in %.1f %%", "%,.0f tokens/s");
  private static final Words SHORT =
      new Words("val %.3f nats %.3f bits/B", "val %.3f %.1f %%", "%,.0f tok/s");
  private static final int LEAST_BAR = 10;
  private static final int MOST_BAR = 40;

  private record Words(String validation, String preferences, String speed) {
    String of(Evaluation evaluation) {
      PreferenceEvaluation pairs = evaluation.preferences();
      return pairs == null
          ? format(validation, evaluation.natsPerToken(), evaluation.bitsPerByte())
          : format(preferences, pairs.loss(), 100 * pairs.accuracy());
    }
  }

  ProgressLine after(StepReport done) {
    return new ProgressLine(done.step(), done.steps(), done, evaluation);
  }

  ProgressLine after(Evaluation latest) {
    return new ProgressLine(step, steps, report, latest);
  }

  /** The line for a log. */
  String text() {
    return "step " + String.join(" | ", figures(LONG));
  }

  /** The line for a terminal: a bar, and as many words as there is room for. */
  String bar(int width) {
    String percent = format("%3d%% ", steps == 0 ? 100 : 100 * step / steps);
    String words = String.join(" | ", figures(LONG));
    if (percent.length() + LEAST_BAR + 3 + words.length() > width) {
      words = String.join(" ", figures(SHORT));
    }
    int room = Math.min(MOST_BAR, width - percent.length() - 3 - words.length());
    String bar = "";
    if (room >= LEAST_BAR) {
      int full = steps == 0 ? room : (int) (room * step / steps);
      bar = "[" + "=".repeat(full) + " ".repeat(room - full) + "] ";
    }
    String line = percent + bar + words;
    return line.length() > width ? line.substring(0, width) : line;
  }

  private List<String> figures(Words words) {
    List<String> figures = new ArrayList<>();
    figures.add(format("%,d/%,d", step, steps));
    if (report != null) {
      figures.add(format("loss %.3f", report.loss()));
    }
    if (evaluation != null) {
      figures.add(words.of(evaluation));
    }
    if (report != null) {
      figures.add(format(words.speed(), report.tokensPerSecond()));
      figures.add(time(left(report)) + " left");
    }
    return figures;
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
