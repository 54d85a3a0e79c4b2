package dev.spatz.kernel;

/**
 * The numbers of the quintic Newton–Schulz iteration X ← (aI + bA + cA²)·X with A = X·Xᵀ, from X =
 * G/‖G‖: five steps bring all but the smallest singular values to between 0.7 and 1.2 and keep the
 * singular vectors (Jordan et al. 2024, <i>Muon: an optimizer for hidden layers in neural
 * networks</i>, whose coefficients these are). The Gram matrix is taken on the shorter side.
 */
final class NewtonSchulz {
  static final int STEPS = 5;
  static final double A = 3.4445;
  static final double B = -4.7750;
  static final double C = 2.0315;

  /** Keeps a zero gradient zero. */
  static final double EPSILON = 1e-7;

  private NewtonSchulz() {}

  /** The factor that gives updates of differently shaped matrices the same effect: √max(1, O/I). */
  static double scale(long rows, long columns) {
    return Math.sqrt(Math.max(1, (double) rows / columns));
  }
}
