package dev.spatz.training;

/** The shape of the learning rate over the steps. */
public enum ScheduleKind {
  /** Warm-up, then half a cosine down to the minimum, by default a tenth of the highest. */
  COSINE,
  /**
   * Warm-up, then stable, then over the last half of the steps straight down to the minimum, by
   * default a hundredth of the highest.
   */
  WARMUP_STABLE_DECAY
}
