package dev.spatz.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.LanguageModel;
import dev.spatz.dataset.Corpus;
import dev.spatz.generation.GenerationConfig;
import dev.spatz.training.Cancellation;
import dev.spatz.training.FaultyStep;
import dev.spatz.training.StepGuard;
import dev.spatz.training.TokenizerKind;
import dev.spatz.training.TrainingConfig;
import dev.spatz.training.TrainingListener;
import dev.spatz.transformer.TransformerConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TrainingReportTest {
  private static final String TEXT = "der spatz in der hand ist <besser> als die taube & mehr. ";

  @TempDir private Path directory;

  private static TrainingConfig config() {
    return TrainingConfig.defaults()
        .withTokenizer(TokenizerKind.CHARACTER)
        .withModel(TransformerConfig.llama(64, 16, 1, 2, 16))
        .withSteps(6)
        .withEvaluationInterval(3)
        .withWarmupSteps(0)
        .withThreads(1);
  }

  private static void train(TrainingListener listener) throws IOException {
    Corpus corpus = Corpus.of(List.of(TEXT.repeat(40)));
    LanguageModel.train(corpus, config(), listener, new Cancellation()).close();
  }

  private RunHistory history() throws IOException {
    return RunHistory.read(directory.resolve(TrainingReport.METRICS));
  }

  @Test
  void tellsOfEveryStepEvaluationSampleAndTheEnd() throws IOException {
    try (TrainingReport report = TrainingReport.into(directory)) {
      train(report);
    }
    RunHistory run = history();
    assertEquals(
        List.of(1L, 2L, 3L, 4L, 5L, 6L), run.steps.stream().map(RunHistory.Step::step).toList());
    assertEquals(
        List.of(0L, 3L, 6L), run.evaluations.stream().map(RunHistory.Evaluated::step).toList());
    assertEquals(3, run.samples.size());
    assertEquals("6", run.settings.get("steps"));
    assertEquals("STEPS", run.ending.reason());
    assertTrue(run.steps.stream().allMatch(step -> step.loss() > 0 && step.gradientNorm() > 0));
  }

  @Test
  void pageStandsAlone() throws IOException {
    try (TrainingReport report = TrainingReport.into(directory)) {
      train(report);
      report.sampled(6, "<script>alert('x')</script>");
      report.evaluated(6, evaluation(), false);
    }
    String page = Files.readString(directory.resolve(TrainingReport.PAGE));
    assertTrue(page.startsWith("<!doctype html>"));
    assertTrue(page.contains("&lt;script&gt;alert(&#39;x&#39;)"), "text is shown, not run");
    assertFalse(page.contains("<script"));
    assertFalse(page.contains("//"), "nothing is loaded from elsewhere");
    assertEquals(5, page.split("<svg ", -1).length - 1);
  }

  private static dev.spatz.training.Evaluation evaluation() {
    return new dev.spatz.training.Evaluation(10, 10, 2, 0.1);
  }

  @Test
  void stepsDoneAgainReplaceTheEarlierOnesAndTornLinesAreSkipped() throws IOException {
    Path file = directory.resolve(TrainingReport.METRICS);
    Files.writeString(
        file,
        """
        {"event":"step","step":1,"loss":4.0}
        {"event":"step","step":2,"loss":3.0}
        {"event":"evaluation","step":2,"bits_per_byte":3.5}
        {"event":"step","step":3,"loss":2.5}
        {"event":"step","step":2,"loss":2.0}
        {"event":"step","st""");
    try (MetricsFile more = MetricsFile.append(file)) {
      more.write(MetricsFile.line("step").put("step", 3).put("loss", 1.0));
    }
    RunHistory run = history();
    assertEquals(List.of(4.0, 2.0, 1.0), run.steps.stream().map(RunHistory.Step::loss).toList());
    assertTrue(run.evaluations.isEmpty());
  }

  @Test
  void saysWhichFileCannotBeWritten() throws IOException {
    Files.createDirectory(directory.resolve(TrainingReport.METRICS));
    IOException e = assertThrows(IOException.class, () -> TrainingReport.into(directory));
    assertTrue(e.toString().contains(TrainingReport.METRICS), e.toString());
  }

  @Test
  void metersFollowTheTraining() throws IOException {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    train(new TrainingMeters(registry, "test"));
    assertEquals(6, registry.get("spatz.training.steps").counter().count());
    assertTrue(registry.get("spatz.training.loss").gauge().value() > 0);
    assertTrue(registry.get("spatz.training.validation.bits.per.byte").gauge().value() > 0);
  }

  @Test
  void flightRecorderSeesStepsAndEvaluations() throws IOException {
    Path file = directory.resolve("run.jfr");
    try (Recording recording = new Recording()) {
      recording.enable("dev.spatz.TrainingStep").withThreshold(java.time.Duration.ZERO);
      recording.enable("dev.spatz.Evaluation").withThreshold(java.time.Duration.ZERO);
      recording.start();
      train(TrainingListener.NONE);
      recording.stop();
      recording.dump(file);
    }
    List<RecordedEvent> events = RecordingFile.readAllEvents(file);
    List<Long> steps =
        events.stream()
            .filter(event -> event.getEventType().getName().equals("dev.spatz.TrainingStep"))
            .map(event -> event.getLong("step"))
            .toList();
    assertEquals(List.of(1L, 2L, 3L, 4L, 5L, 6L), steps);
    assertTrue(
        events.stream().anyMatch(e -> e.getEventType().getName().equals("dev.spatz.Evaluation")));
  }

  @Test
  void flightRecorderSeesCheckpointsAndGenerations() throws IOException {
    Path file = directory.resolve("run.jfr");
    try (Recording recording = new Recording()) {
      recording.enable("dev.spatz.Checkpoint").withThreshold(java.time.Duration.ZERO);
      recording.enable("dev.spatz.Generation").withThreshold(java.time.Duration.ZERO);
      recording.start();
      TrainingConfig kept = config().withCheckpoints(directory.resolve("run"));
      Corpus corpus = Corpus.of(List.of(TEXT.repeat(40)));
      try (LanguageModel model = LanguageModel.train(corpus, kept)) {
        model.generate("der", GenerationConfig.defaults().withMaxNewTokens(4).withSeed(1));
      }
      recording.stop();
      recording.dump(file);
    }
    List<RecordedEvent> events = RecordingFile.readAllEvents(file);
    List<Long> steps =
        events.stream()
            .filter(event -> event.getEventType().getName().equals("dev.spatz.Checkpoint"))
            .map(event -> event.getLong("step"))
            .toList();
    assertEquals(List.of(0L, 6L), steps);
    List<RecordedEvent> texts =
        events.stream()
            .filter(event -> event.getEventType().getName().equals("dev.spatz.Generation"))
            .filter(event -> event.getInt("promptTokens") >= 3 && event.getInt("newTokens") > 0)
            .toList();
    assertTrue(
        texts.stream().anyMatch(e -> !e.getString("finishReason").isEmpty()), events.toString());
  }

  @Test
  void faultySteps_areInTheMetricsAndOnThePage() throws IOException {
    FaultyStep fault = new FaultyStep(2, "loss", 9, 3, 2.5, StepGuard.Action.ROLL_BACK);
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    try (TrainingReport report = TrainingReport.into(directory)) {
      TrainingListener all = report.and(new TrainingMeters(registry, "test"));
      train(all);
      all.stepFaulty(fault);
      report.evaluated(6, evaluation(), false);
    }
    assertEquals("step 2: the loss is 9.000, where 2.500 is usual", history().faults.get(0).text());
    String page = Files.readString(directory.resolve(TrainingReport.PAGE));
    assertTrue(page.contains("<td>roll back</td><td>step 2: the loss is 9.000"), page);
    assertEquals(1, registry.get("spatz.training.faulty.steps").counter().count());
  }

  @ParameterizedTest
  @CsvSource({"0.011, 0.02", "0.2, 0.2", "3, 5", "7, 10", "1, 1"})
  void ticksAreRoundNumbers(double step, double expected) {
    assertEquals(expected, LineChart.niceStep(step), 1e-12);
  }

  @Test
  void chartOfNothingIsEmptyNotBroken() throws IOException {
    Files.writeString(directory.resolve(TrainingReport.METRICS), "", StandardOpenOption.CREATE_NEW);
    assertTrue(ReportPage.of(history()).contains("</html>"));
    assertFalse(ReportPage.of(history()).contains("NaN"));
  }
}
