package dev.spatz.training;

/** Why a training run ended. */
public enum StopReason {
  /** All steps are done. */
  STEPS,
  /** The time limit is reached. */
  TIME,
  /** The token limit is reached. */
  TOKENS,
  /** The validation loss has not improved for as long as the patience lasts. */
  PATIENCE,
  /** Another thread cancelled it, or the thread was interrupted. */
  CANCELLED
}
