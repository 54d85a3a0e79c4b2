package dev.spatz.training;

/** The shape of the learning rate over the steps. */
public enum ScheduleKind {
  /** Warm-up, then half a cosine down to the minimum. */
  COSINE,
  /** Warm-up, then stable, then over the last fifth of the steps straight down to the minimum. */
  WARMUP_STABLE_DECAY
}
