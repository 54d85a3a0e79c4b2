package dev.spatz.report;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.spatz.training.Evaluation;
import dev.spatz.training.FaultyStep;
import dev.spatz.training.PreferenceEvaluation;
import dev.spatz.training.StepReport;
import dev.spatz.training.TrainingListener;
import dev.spatz.training.TrainingPlan;
import dev.spatz.training.TrainingResult;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * Writes a training's progress into a directory: {@code metrics.jsonl} for programs, and {@code
 * report.html} for people, anew with every evaluation. Both outlive a killed process; a run that is
 * resumed goes on in the same files. A file that cannot be written ends the training with an {@link
 * UncheckedIOException}. The caller closes it.
 */
public final class TrainingReport implements TrainingListener, AutoCloseable {
  /** The file for programs. */
  public static final String METRICS = "metrics.jsonl";

  /** The page for people. */
  public static final String PAGE = "report.html";

  private static final int MOST_LINES = 2000;

  private final Path directory;
  private final MetricsFile metrics;
  private final Means means = new Means();
  private long interval = 1;

  /** Sums over the steps since the last line. */
  private static final class Means {
    private int count;
    private double loss;
    private double gradientNorm;
    private double tokensPerSecond;

    void add(StepReport report) {
      count++;
      loss += report.loss();
      gradientNorm += report.gradientNorm();
      tokensPerSecond += report.tokensPerSecond();
    }

    ObjectNode take(StepReport last) {
      ObjectNode line =
          MetricsFile.line("step")
              .put("step", last.step())
              .put("loss", loss / count)
              .put("learning_rate", last.learningRate())
              .put("gradient_norm", gradientNorm / count)
              .put("tokens", last.tokens())
              .put("tokens_per_second", tokensPerSecond / count)
              .put("seconds", last.elapsed().toNanos() / 1e9);
      count = 0;
      loss = 0;
      gradientNorm = 0;
      tokensPerSecond = 0;
      return line;
    }
  }

  private TrainingReport(Path directory, MetricsFile metrics) {
    this.directory = directory;
    this.metrics = metrics;
  }

  /**
   * A report into a directory, which is made where there is none.
   *
   * @throws IOException if it cannot be written
   */
  public static TrainingReport into(Path directory) throws IOException {
    try {
      return new TrainingReport(directory, MetricsFile.append(directory.resolve(METRICS)));
    } catch (IOException e) {
      throw cannotWrite(directory.resolve(METRICS), e);
    }
  }

  @Override
  public void started(TrainingPlan plan) {
    interval = Math.max(1, plan.steps() / MOST_LINES);
    ObjectNode line = MetricsFile.line("started").put("time", now());
    ObjectNode settings = line.putObject("settings");
    plan.describe().forEach(settings::put);
    write(line);
  }

  @Override
  public void stepDone(StepReport report) {
    means.add(report);
    if (report.step() % interval == 0 || report.step() == report.steps()) {
      write(means.take(report));
    }
  }

  @Override
  public void stepFaulty(FaultyStep fault) {
    write(
        MetricsFile.line("fault")
            .put("step", fault.step())
            .put("action", fault.action().toString())
            .put("text", fault.describe()));
  }

  @Override
  public void evaluated(long step, Evaluation evaluation, boolean best) {
    write(
        measured("evaluation", evaluation)
            .put("step", step)
            .put("tokens", evaluation.tokens())
            .put("best", best));
    writePage();
  }

  @Override
  public boolean wantsSamples() {
    return true;
  }

  @Override
  public void sampled(long step, String text) {
    write(MetricsFile.line("sample").put("step", step).put("text", text));
  }

  @Override
  public void finished(TrainingResult result) {
    write(
        measured("finished", result.evaluation())
            .put("time", now())
            .put("reason", result.reason().toString())
            .put("steps", result.steps())
            .put("best_step", result.bestStep())
            .put("faulty_steps", result.faultySteps())
            .put("seconds", result.elapsed().toNanos() / 1e9));
    writePage();
  }

  private static ObjectNode measured(String event, Evaluation evaluation) {
    ObjectNode line =
        MetricsFile.line(event)
            .put("nats_per_token", evaluation.natsPerToken())
            .put("bits_per_byte", evaluation.bitsPerByte());
    PreferenceEvaluation pairs = evaluation.preferences();
    if (pairs != null) {
      line.put("pairs", pairs.pairs())
          .put("preference_loss", pairs.loss())
          .put("preference_accuracy", pairs.accuracy())
          .put("improved_accuracy", pairs.improvedAccuracy())
          .put("margin", pairs.margin())
          .put("chosen_log_probability", pairs.chosen())
          .put("rejected_log_probability", pairs.rejected());
    }
    return line;
  }

  private static String now() {
    return Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
  }

  private void write(ObjectNode line) {
    try {
      metrics.write(line);
    } catch (IOException e) {
      throw failed(METRICS, e);
    }
  }

  /** Replaces the page by a new one as a whole. */
  private void writePage() {
    Path fresh = directory.resolve(PAGE + ".tmp");
    try {
      metrics.flush();
      Files.writeString(fresh, ReportPage.of(RunHistory.read(directory.resolve(METRICS))));
      Files.move(
          fresh,
          directory.resolve(PAGE),
          StandardCopyOption.ATOMIC_MOVE,
          StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw failed(PAGE, e);
    }
  }

  private UncheckedIOException failed(String file, IOException cause) {
    return new UncheckedIOException(cannotWrite(directory.resolve(file), cause));
  }

  private static IOException cannotWrite(Path file, IOException cause) {
    return new IOException(file + " cannot be written: " + cause.getMessage(), cause);
  }

  /**
   * Closes the files.
   *
   * @throws IOException if the last lines cannot be written
   */
  @Override
  public void close() throws IOException {
    metrics.close();
  }
}
