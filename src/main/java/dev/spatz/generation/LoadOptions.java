package dev.spatz.generation;

import dev.spatz.kernel.WeightPrecision;

/**
 * How a model's weights are held and read once it is loaded.
 *
 * @param precision of the matrices that texts are written and evaluated with: beside the float32
 *     weights, which saving, exporting and training on need
 * @param threads that read them together, at least 1; no result depends on their number
 * @param engine how many texts are written at once, and with how much memory
 */
public record LoadOptions(WeightPrecision precision, int threads, EngineConfig engine) {
  /** Checks the values. */
  public LoadOptions {
    Require.that(threads >= 1, "threads", threads, "must be at least 1");
  }

  /** Float32, as many threads as there are processors, {@link EngineConfig#defaults}. */
  public static LoadOptions defaults() {
    int processors = Runtime.getRuntime().availableProcessors();
    return new LoadOptions(WeightPrecision.FLOAT32, processors, EngineConfig.defaults());
  }

  /** These options with another {@link #precision}. */
  public LoadOptions withPrecision(WeightPrecision value) {
    return new LoadOptions(value, threads, engine);
  }

  /**
   * These options with another number of {@link #threads}.
   *
   * @throws IllegalArgumentException if it is less than 1
   */
  public LoadOptions withThreads(int value) {
    return new LoadOptions(precision, value, engine);
  }

  /** These options with another {@link #engine}. */
  public LoadOptions withEngine(EngineConfig value) {
    return new LoadOptions(precision, threads, value);
  }
}
