package dev.spatz.checkpoint;

import java.nio.file.Path;
import jdk.jfr.Category;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** Shows the writing of a checkpoint to the JVM's flight recorder, where one is running. */
@Name("dev.spatz.Checkpoint")
@Label("Checkpoint")
@Category("Spatz")
@StackTrace(false)
final class CheckpointEvent extends Event {
  @Label("Step")
  private long step;

  @Label("Directory")
  private String directory = "";

  /** The writing begins. */
  static CheckpointEvent begun() {
    CheckpointEvent event = new CheckpointEvent();
    event.begin();
    return event;
  }

  /** The checkpoint is safe. */
  void end(long after, Path path) {
    if (shouldCommit()) {
      step = after;
      directory = path.toString();
      commit();
    }
  }
}
