package dev.spatz.generation;

/**
 * What the engine does for one caller: a text to write, or texts to read. Ended by the engine's
 * thread or by any other; safe for use by many.
 */
sealed interface Job permits Session, Reading {
  /** The most tokens that its cache may come to have. */
  int mostTokens();

  /** The most memory for their keys and values. */
  long mostBytes();

  /** Whether it has ended; never waits. */
  boolean isOver();

  /** Ends it, if it is cancelled or its time is over; whether it has ended. */
  boolean endIfDue();

  /** Ends it, unless it has ended; its caller gets the exception. */
  void fail(Throwable cause);
}
