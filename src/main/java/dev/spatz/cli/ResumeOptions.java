package dev.spatz.cli;

import dev.spatz.training.ResumeConfig;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Which run goes on. */
final class ResumeOptions {
  @Option(
      names = "--resume",
      required = true,
      paramLabel = "DIR",
      description =
          "Go on with a run of --checkpoints, with its own texts and settings; where those are"
              + " given again, they are compared.")
  private Path run;

  @Option(
      names = "--allow-changes",
      description = "Go on with other texts or settings than the run had.")
  private boolean changesAllowed;

  Path run() {
    return run;
  }

  /** A configuration with what the options say. */
  ResumeConfig applyTo(ResumeConfig config) {
    return changesAllowed ? config.withChangesAllowed() : config;
  }

  /** What is said first. */
  String beginning() {
    return "resuming " + run + " ...";
  }
}
