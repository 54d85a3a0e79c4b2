package dev.spatz.cli;

import dev.spatz.training.Evaluation;
import dev.spatz.training.FaultyStep;
import dev.spatz.training.StepReport;
import dev.spatz.training.TrainingListener;
import dev.spatz.training.TrainingMemory;
import dev.spatz.training.TrainingPlan;
import dev.spatz.training.TrainingResult;
import dev.spatz.transformer.TransformerConfig;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import me.tongfei.progressbar.ProgressBar;
import org.jspecify.annotations.Nullable;

/** Shows a training run: a bar on a terminal, else a plain line now and then. */
final class ProgressListener implements TrainingListener, AutoCloseable {
  private static final Duration BETWEEN_LINES = Duration.ofSeconds(10);
  private static final int BAR_UPDATE_MILLIS = 250;

  private final PrintWriter lines;
  private final boolean terminal;
  private @Nullable ProgressBar bar;
  private @Nullable Duration lastLine;
  private @Nullable TrainingResult result;

  /** Read by the thread that draws the bar. */
  private volatile ProgressLine progress = new ProgressLine(0, 0, null, null);

  /**
   * @param lines where everything but the bar goes
   * @param terminal whether standard error is a terminal, which the bar is drawn on
   */
  ProgressListener(PrintWriter lines, boolean terminal) {
    this.lines = lines;
    this.terminal = terminal;
  }

  @Override
  public void started(TrainingPlan plan) {
    TransformerConfig model = plan.model();
    print(
        "training a %s of %,d parameters (%d layers, %d channels, context %d, vocabulary %,d): %,d steps of %,d tokens",
        model.architecture().name().toLowerCase(Locale.ROOT),
        model.parameterCount(),
        model.layers(),
        model.channels(),
        model.contextLength(),
        model.vocabularySize(),
        plan.steps(),
        plan.tokensPerStep());
    progress = new ProgressLine(0, plan.steps(), null, null);
    if (terminal) {
      bar =
          ProgressBar.builder()
              .setInitialMax(plan.steps())
              .setUpdateIntervalMillis(BAR_UPDATE_MILLIS)
              .setRenderer((state, width) -> progress.bar(width))
              .build();
    }
  }

  @Override
  public void memory(TrainingMemory memory) {
    print("memory off the heap %s", memory);
  }

  @Override
  public void resumed(long step) {
    print("going on after step %,d", step);
  }

  @Override
  public void stepDone(StepReport report) {
    progress = progress.after(report);
    if (bar != null) {
      bar.stepTo(report.step());
    } else if (lastLine == null || report.elapsed().minus(lastLine).compareTo(BETWEEN_LINES) >= 0) {
      lastLine = report.elapsed();
      print("%s", progress.text());
    }
  }

  @Override
  public void stepFaulty(FaultyStep fault) {
    print("%s: %s", fault.action().toString().toLowerCase(Locale.ROOT), fault.describe());
  }

  @Override
  public void evaluated(long step, Evaluation evaluation, boolean best) {
    progress = progress.after(evaluation);
    if (bar == null) {
      StepReport report = progress.report();
      lastLine = report == null ? null : report.elapsed();
      print("%s", progress.text());
    }
  }

  @Override
  public void finished(TrainingResult finished) {
    result = finished;
    close();
    Evaluation evaluation = finished.evaluation();
    print(
        "%s after %,d steps in %s: validation %s (best weights: step %,d)",
        switch (finished.reason()) {
          case STEPS -> "done";
          case TIME -> "the time limit is reached";
          case TOKENS -> "the token limit is reached";
          case PATIENCE -> "no more improvement";
          case CANCELLED -> "stopped";
        },
        finished.steps(),
        ProgressLine.time(finished.elapsed()),
        evaluation.preferences() != null
            ? evaluation.preferences()
            : ProgressLine.format(
                "%.3f nats/token, %.3f bits/byte",
                evaluation.natsPerToken(), evaluation.bitsPerByte()),
        finished.bestStep());
  }

  /** How the run ended; empty while it runs, or if it failed. */
  Optional<TrainingResult> result() {
    return Optional.ofNullable(result);
  }

  /** Takes the last picture of the bar; the listener still prints lines. */
  @Override
  public void close() {
    if (bar != null) {
      bar.close();
      bar = null;
    }
  }

  private void print(String pattern, Object... values) {
    lines.println(ProgressLine.format(pattern, values));
    lines.flush();
  }
}
