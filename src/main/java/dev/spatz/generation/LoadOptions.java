package dev.spatz.generation;

import dev.spatz.kernel.WeightPrecision;

/**
 * How a model's weights are held and read once it is loaded.
 *
 * @param precision of the matrices that texts are written and evaluated with: beside the float32
 *     weights, which saving, exporting and training on need
 * @param frozen whether those of the blocks are not kept in float32 at all, but rounded to the
 *     precision: the model then takes far less memory, writes texts, and adapters of it are
 *     trained; what needs its own weights is refused
 * @param threads that read them together, at least 1; no result depends on their number
 * @param engine how many texts are written at once, and with how much memory
 */
public record LoadOptions(
    WeightPrecision precision, boolean frozen, int threads, EngineConfig engine) {
  /** Checks the values. */
  public LoadOptions {
    Require.that(threads >= 1, "threads", threads, "must be at least 1");
    boolean rounds = precision != WeightPrecision.FLOAT32;
    Require.that(rounds || !frozen, "frozen", frozen, "needs a precision of BF16 or INT8");
  }

  /** Float32, as many threads as there are processors, {@link EngineConfig#defaults}. */
  public static LoadOptions defaults() {
    int processors = Runtime.getRuntime().availableProcessors();
    return new LoadOptions(WeightPrecision.FLOAT32, false, processors, EngineConfig.defaults());
  }

  /**
   * These options with another {@link #precision}.
   *
   * @throws IllegalArgumentException if it is float32, of a frozen model
   */
  public LoadOptions withPrecision(WeightPrecision value) {
    return new LoadOptions(value, frozen, threads, engine);
  }

  /** These options for a model that stays as it is, rounded to a precision. See {@link #frozen}. */
  public LoadOptions withFrozen(WeightPrecision value) {
    return new LoadOptions(value, true, threads, engine);
  }

  /**
   * These options with another number of {@link #threads}.
   *
   * @throws IllegalArgumentException if it is less than 1
   */
  public LoadOptions withThreads(int value) {
    return new LoadOptions(precision, frozen, value, engine);
  }

  /** These options with another {@link #engine}. */
  public LoadOptions withEngine(EngineConfig value) {
    return new LoadOptions(precision, frozen, threads, value);
  }
}
