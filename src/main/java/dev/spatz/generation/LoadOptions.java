package dev.spatz.generation;

import dev.spatz.kernel.WeightPrecision;

/**
 * How a model's weights are held and read once it is loaded.
 *
 * @param precision of the matrices that texts are written and evaluated with: beside the float32
 *     weights, which saving, exporting and training on need
 * @param threads that read them together, at least 1; no result depends on their number
 */
public record LoadOptions(WeightPrecision precision, int threads) {
  /** Checks the values. */
  public LoadOptions {
    Require.that(threads >= 1, "threads", threads, "must be at least 1");
  }

  /** Float32, and as many threads as there are processors. */
  public static LoadOptions defaults() {
    return new LoadOptions(WeightPrecision.FLOAT32, Runtime.getRuntime().availableProcessors());
  }

  /** These options with another {@link #precision}. */
  public LoadOptions withPrecision(WeightPrecision value) {
    return new LoadOptions(value, threads);
  }

  /**
   * These options with another number of {@link #threads}.
   *
   * @throws IllegalArgumentException if it is less than 1
   */
  public LoadOptions withThreads(int value) {
    return new LoadOptions(precision, value);
  }
}
