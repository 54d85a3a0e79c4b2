package dev.spatz.training;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Checks of settings; what fails is named with its value and the rule. */
final class Requirements {
  private Requirements() {}

  static boolean positive(Duration duration) {
    return !duration.isNegative() && !duration.isZero();
  }

  static void atLeast(long least, String name, long value) {
    require(value >= least, name, value, "must be at least " + least);
  }

  static void require(boolean holds, String name, @Nullable Object value, String rule) {
    if (!holds) {
      throw new IllegalArgumentException(name + " (" + value + ") " + rule);
    }
  }
}
