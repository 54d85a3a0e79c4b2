package dev.spatz.training;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes the evaluations of a run to the log. */
public final class LoggingListener implements TrainingListener {
  private static final Logger LOG = LoggerFactory.getLogger(LoggingListener.class);

  /** A listener that logs through SLF4J. */
  public LoggingListener() {}

  @Override
  public void started(TrainingPlan plan) {
    LOG.info("training {} parameters: {}", plan.model().parameterCount(), plan);
  }

  @Override
  public void memory(TrainingMemory memory) {
    LOG.info("memory off the heap: {}", memory);
  }

  @Override
  public void resumed(long step) {
    LOG.info("going on after step {}", step);
  }

  @Override
  public void evaluated(long step, Evaluation evaluation, boolean best) {
    LOG.info("step {}: {}{}", step, evaluation, best ? ", the best so far" : "");
  }

  @Override
  public void finished(TrainingResult result) {
    LOG.info("training ended ({}): {}", result.reason(), result);
  }
}
