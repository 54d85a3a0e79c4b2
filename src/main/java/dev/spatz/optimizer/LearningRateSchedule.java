package dev.spatz.optimizer;

import java.util.Locale;

/** The learning rate of every step. Steps are counted from 0. */
public sealed interface LearningRateSchedule {

  /** The learning rate of a step. */
  double at(long step);

  /** The highest learning rate. */
  double peak();

  /** The lowest, at the end. */
  double floor();

  /** Steps of warm-up. */
  long warmup();

  /** Steps of the whole schedule. */
  long steps();

  /** The same over another number of steps, a decay at the end being the same part of them. */
  LearningRateSchedule withSteps(long value);

  /**
   * Linear warm-up, then half a cosine from the peak down to the floor at the last step, as nanoGPT
   * does it (Loshchilov and Hutter 2017).
   *
   * @param peak the highest learning rate
   * @param floor the lowest, from step {@code steps} on
   * @param warmup steps of warm-up: step s has {@code peak·(s + 1)/(warmup + 1)}
   * @param steps steps of the whole schedule
   */
  record Cosine(double peak, double floor, long warmup, long steps)
      implements LearningRateSchedule {
    /** Checks the numbers. */
    public Cosine {
      requireSensible(peak, floor, warmup, steps);
    }

    @Override
    public Cosine withSteps(long value) {
      return new Cosine(peak, floor, warmup, value);
    }

    @Override
    public double at(long step) {
      if (step < warmup) {
        return warmedUp(peak, warmup, step);
      }
      if (step >= steps) {
        return floor;
      }
      double progress = (double) (step - warmup) / (steps - warmup);
      return floor + 0.5 * (1 + StrictMath.cos(Math.PI * progress)) * (peak - floor);
    }
  }

  /**
   * Linear warm-up, a long stable phase at the peak, and a linear decay to the floor (Hu et al.
   * 2024).
   *
   * @param peak the highest learning rate
   * @param floor the lowest, from step {@code steps} on
   * @param warmup steps of warm-up: step s has {@code peak·(s + 1)/(warmup + 1)}
   * @param decay steps of the decay at the end
   * @param steps steps of the whole schedule
   */
  record WarmupStableDecay(double peak, double floor, long warmup, long decay, long steps)
      implements LearningRateSchedule {
    /** Checks the numbers. */
    public WarmupStableDecay {
      requireSensible(peak, floor, warmup, steps);
      if (decay < 0 || warmup + decay > steps) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "warmup (%,d) and decay (%,d) must fit into steps (%,d)",
                warmup,
                decay,
                steps));
      }
    }

    @Override
    public WarmupStableDecay withSteps(long value) {
      long part = Math.round((double) decay / steps * value);
      return new WarmupStableDecay(
          peak, floor, warmup, Math.max(0, Math.min(part, value - warmup)), value);
    }

    @Override
    public double at(long step) {
      if (step < warmup) {
        return warmedUp(peak, warmup, step);
      }
      if (step >= steps) {
        return floor;
      }
      long left = steps - step;
      return left >= decay ? peak : floor + (peak - floor) * left / decay;
    }
  }

  private static double warmedUp(double peak, long warmup, long step) {
    return peak * (step + 1) / (warmup + 1);
  }

  private static void requireSensible(double peak, double floor, long warmup, long steps) {
    if (!(peak > 0 && floor >= 0 && floor <= peak)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "the learning rate (%s) must be positive and its minimum (%s) between 0 and it",
              peak,
              floor));
    }
    if (warmup < 0 || warmup > steps) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "warmup (%,d) must be from 0 to steps (%,d)", warmup, steps));
    }
  }
}
