package dev.spatz.report;

import dev.spatz.training.Evaluation;
import dev.spatz.training.FaultyStep;
import dev.spatz.training.StepReport;
import dev.spatz.training.TrainingListener;
import dev.spatz.training.TrainingPlan;
import jdk.jfr.Category;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/**
 * Shows steps, faulty ones and evaluations of a training to the JVM's flight recorder, where one is
 * running.
 */
public final class FlightRecording implements TrainingListener {
  private StepEvent step = new StepEvent();
  private EvaluationEvent evaluation = new EvaluationEvent();

  @Name("dev.spatz.TrainingStep")
  @Label("Training step")
  @Category("Spatz")
  @StackTrace(false)
  private static final class StepEvent extends Event {
    @Label("Step")
    private long step;

    @Label("Loss, nats a token")
    private double loss;

    @Label("Learning rate")
    private double learningRate;

    @Label("Gradient norm")
    private double gradientNorm;
  }

  @Name("dev.spatz.Evaluation")
  @Label("Evaluation")
  @Category("Spatz")
  @StackTrace(false)
  private static final class EvaluationEvent extends Event {
    @Label("Step")
    private long step;

    @Label("Validation loss, nats a token")
    private double natsPerToken;

    @Label("Validation loss, bits a byte")
    private double bitsPerByte;
  }

  @Name("dev.spatz.FaultyStep")
  @Label("Faulty training step")
  @Category("Spatz")
  @StackTrace(false)
  private static final class FaultEvent extends Event {
    @Label("Step")
    private long step;

    @Label("Loss, nats a token")
    private double loss;

    @Label("Gradient norm")
    private double gradientNorm;

    @Label("Action")
    private String action = "";
  }

  /** A listener of one training. */
  public FlightRecording() {}

  @Override
  public void started(TrainingPlan plan) {
    begin();
  }

  @Override
  public void stepDone(StepReport report) {
    if (step.shouldCommit()) {
      step.step = report.step();
      step.loss = report.loss();
      step.learningRate = report.learningRate();
      step.gradientNorm = report.gradientNorm();
      step.commit();
    }
    begin();
  }

  @Override
  public void stepFaulty(FaultyStep fault) {
    FaultEvent event = new FaultEvent();
    event.step = fault.step();
    event.loss = fault.loss();
    event.gradientNorm = fault.gradientNorm();
    event.action = fault.action().name();
    event.commit();
    begin();
  }

  @Override
  public void evaluated(long after, Evaluation measured, boolean best) {
    if (evaluation.shouldCommit()) {
      evaluation.step = after;
      evaluation.natsPerToken = measured.natsPerToken();
      evaluation.bitsPerByte = measured.bitsPerByte();
      evaluation.commit();
    }
    begin();
  }

  /** Whatever comes next, a step or an evaluation, begins now. */
  private void begin() {
    step = new StepEvent();
    step.begin();
    evaluation = new EvaluationEvent();
    evaluation.begin();
  }
}
