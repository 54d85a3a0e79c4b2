package dev.spatz.training;

/** A wish to stop, given from any thread; work ends at its next step and keeps what it has. */
public final class Cancellation {
  private volatile boolean cancelled;

  /** Nothing is cancelled yet. */
  public Cancellation() {}

  /** Asks the work to stop. Asking twice is fine. */
  public void cancel() {
    cancelled = true;
  }

  /** Whether the work was asked to stop. */
  public boolean isCancelled() {
    return cancelled;
  }
}
