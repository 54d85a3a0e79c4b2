package dev.spatz.generation;

/**
 * What makes tokens less likely that the prompt or the new text has already.
 *
 * @param repetition divides the positive and multiplies the other logits of tokens in the window
 *     (Keskar et al. 2019); positive, 1: off
 * @param frequency is taken off a token's logit once for each time that it is in the window; 0: off
 * @param presence is taken off a token's logit if it is in the window; 0: off
 * @param window how many of the last tokens count, at least 1
 * @param noRepeatNgram a run of this many tokens that the whole text has already is not completed
 *     again; 0: off
 */
public record Penalties(
    double repetition, double frequency, double presence, int window, int noRepeatNgram) {
  /** No penalty; the window is 64 tokens. */
  public static final Penalties NONE = new Penalties(1, 0, 0, 64, 0);

  /**
   * Checks each value.
   *
   * @throws IllegalArgumentException if one is out of its range
   */
  public Penalties {
    Require.that(
        repetition > 0 && repetition < Double.POSITIVE_INFINITY,
        "repetition",
        repetition,
        "must be finite and positive (1 for none)");
    Require.finite("frequency", frequency);
    Require.finite("presence", presence);
    Require.that(window >= 1, "window", window, "must be at least 1");
    Require.that(
        noRepeatNgram >= 0, "noRepeatNgram", noRepeatNgram, "must not be negative (0 for none)");
  }

  /** These penalties with another factor. */
  public Penalties withRepetition(double value) {
    return new Penalties(value, frequency, presence, window, noRepeatNgram);
  }

  /** These penalties with another one for each time. */
  public Penalties withFrequency(double value) {
    return new Penalties(repetition, value, presence, window, noRepeatNgram);
  }

  /** These penalties with another one for being there. */
  public Penalties withPresence(double value) {
    return new Penalties(repetition, frequency, value, window, noRepeatNgram);
  }

  /** These penalties with another window. */
  public Penalties withWindow(int value) {
    return new Penalties(repetition, frequency, presence, value, noRepeatNgram);
  }

  /** These penalties with another length of runs that are not repeated. */
  public Penalties withNoRepeatNgram(int value) {
    return new Penalties(repetition, frequency, presence, window, value);
  }

  /** Whether no token in the window is made less likely. */
  boolean isNeutral() {
    return repetition == 1 && frequency == 0 && presence == 0;
  }
}
