package dev.spatz.training;

/**
 * Hears of a training run, on the thread that runs it, between its steps. A listener that throws
 * ends the run.
 */
public interface TrainingListener {
  /** A listener that does nothing. */
  TrainingListener NONE = new TrainingListener() {};

  /** The run begins; everything automatic is decided. */
  default void started(TrainingPlan plan) {}

  /** The memory off the heap that the run takes; after {@link #started}. */
  default void memory(TrainingMemory memory) {}

  /** The run goes on where it had stopped, after {@code step} steps; after {@link #started}. */
  default void resumed(long step) {}

  /** A step is done. */
  default void stepDone(StepReport report) {}

  /** A step was not done as planned: it was skipped, rolled back, or ends the run. */
  default void stepFaulty(FaultyStep fault) {}

  /** The validation loss was measured after {@code step} steps; {@code best}: the lowest so far. */
  default void evaluated(long step, Evaluation evaluation, boolean best) {}

  /** Whether this listener wants to hear what the model writes after each evaluation. */
  default boolean wantsSamples() {
    return false;
  }

  /** What the model wrote after {@code step} steps; told to those that want it. */
  default void sampled(long step, String text) {}

  /** The run ended, the best weights are in the model. */
  default void finished(TrainingResult result) {}

  /** This listener, and then another one. */
  default TrainingListener and(TrainingListener other) {
    TrainingListener first = this;
    return new TrainingListener() {
      @Override
      public void started(TrainingPlan plan) {
        first.started(plan);
        other.started(plan);
      }

      @Override
      public void memory(TrainingMemory memory) {
        first.memory(memory);
        other.memory(memory);
      }

      @Override
      public void resumed(long step) {
        first.resumed(step);
        other.resumed(step);
      }

      @Override
      public void stepDone(StepReport report) {
        first.stepDone(report);
        other.stepDone(report);
      }

      @Override
      public void stepFaulty(FaultyStep fault) {
        first.stepFaulty(fault);
        other.stepFaulty(fault);
      }

      @Override
      public void evaluated(long step, Evaluation evaluation, boolean best) {
        first.evaluated(step, evaluation, best);
        other.evaluated(step, evaluation, best);
      }

      @Override
      public boolean wantsSamples() {
        return first.wantsSamples() || other.wantsSamples();
      }

      @Override
      public void sampled(long step, String text) {
        first.sampled(step, text);
        other.sampled(step, text);
      }

      @Override
      public void finished(TrainingResult result) {
        first.finished(result);
        other.finished(result);
      }
    };
  }
}
