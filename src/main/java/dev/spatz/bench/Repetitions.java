package dev.spatz.bench;

/**
 * How often something is done.
 *
 * @param warmUp times before the measured ones, at least 1
 * @param measured times, at least 1
 */
record Repetitions(int warmUp, int measured) {
  Repetitions {
    requirePositive("warm-up repetitions", warmUp);
    requirePositive("repetitions", measured);
  }

  static void requirePositive(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(name + " (" + value + ") must be at least 1");
    }
  }
}
