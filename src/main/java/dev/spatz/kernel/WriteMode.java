package dev.spatz.kernel;

/** What an operation does with the gradients of parameters that are there already. */
public enum WriteMode {
  /** They are replaced, whatever they were: what the first operation of a step does. */
  OVERWRITE,
  /** The operation adds to them. */
  ADD;

  /** The factor of what is there, as BLAS calls it. */
  double beta() {
    return this == ADD ? 1 : 0;
  }
}
