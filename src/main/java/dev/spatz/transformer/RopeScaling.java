package dev.spatz.transformer;

/** How rotary frequencies are lowered, so that a model reaches beyond its first context. */
public sealed interface RopeScaling {
  /** Frequencies as they are. */
  RopeScaling NONE = new Linear(1);

  /** The frequency that takes the place of one, both in radians a position. */
  double scaled(double frequency);

  /**
   * All frequencies are divided (Chen et al. 2023).
   *
   * @param factor by which, at least 1
   */
  record Linear(double factor) implements RopeScaling {
    /**
     * Checks the factor.
     *
     * @throws IllegalArgumentException if it is below 1 or infinite
     */
    public Linear {
      requireFactor(factor);
    }

    @Override
    public double scaled(double frequency) {
      return frequency / factor;
    }
  }

  /**
   * Low frequencies are divided, high ones stay, those between are interpolated (Llama 3.1,
   * Grattafiori et al. 2024).
   *
   * @param factor by which the low ones are divided, at least 1
   * @param lowFrequency below so many turns within the original context a frequency is low
   * @param highFrequency above so many turns within the original context it is high; above {@code
   *     lowFrequency}
   * @param originalContext positions of the first context
   */
  record Llama3(double factor, double lowFrequency, double highFrequency, int originalContext)
      implements RopeScaling {
    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException if one is out of range
     */
    public Llama3 {
      requireFactor(factor);
      if (!(lowFrequency > 0 && highFrequency > lowFrequency && highFrequency < 1 / 0.0)) {
        throw new IllegalArgumentException(
            "lowFrequency ("
                + lowFrequency
                + ") must be positive and below highFrequency ("
                + highFrequency
                + ")");
      }
      if (originalContext < 1) {
        throw new IllegalArgumentException(
            "originalContext (" + originalContext + ") must be positive");
      }
    }

    @Override
    public double scaled(double frequency) {
      double turns = originalContext * frequency / (2 * Math.PI);
      double kept = (turns - lowFrequency) / (highFrequency - lowFrequency);
      kept = Math.max(0, Math.min(1, kept));
      return (1 - kept) * frequency / factor + kept * frequency;
    }
  }

  private static void requireFactor(double factor) {
    if (!(factor >= 1) || Double.isInfinite(factor)) {
      throw new IllegalArgumentException(
          "factor (" + factor + ") of the rotary frequencies must be at least 1");
    }
  }
}
