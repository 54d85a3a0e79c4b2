package dev.spatz.generation;

/** Refusals of settings. */
final class Require {
  private Require() {}

  static void that(boolean holds, String name, Object value, String rule) {
    if (!holds) {
      throw new IllegalArgumentException(name + " (" + value + ") " + rule);
    }
  }

  /** Neither infinite nor NaN. */
  static void finite(String name, double value) {
    that(Double.isFinite(value), name, value, "must be finite");
  }

  /** From 0 to 1. */
  static void probability(String name, double value) {
    that(value >= 0 && value <= 1, name, value, "must be from 0 to 1");
  }
}
