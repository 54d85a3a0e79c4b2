package dev.spatz.kernel;

/** The two forms of the Gaussian error linear unit (Hendrycks and Gimpel 2016) in use. */
public enum Gelu {
  /** {@code x·Φ(x)} with the normal distribution's Φ by the error function. */
  EXACT,
  /** {@code 0.5·x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))}, as the original GPT-2 computes it. */
  TANH
}
