package dev.spatz.transformer;

/** The families of models that can be trained and loaded; each loads in other programs too. */
public enum Architecture {
  /** Layer normalization, learned positions, GELU (Radford et al. 2019). */
  GPT2,
  /**
   * Root-mean-square normalization, rotary positions, SwiGLU, grouped key/value heads (Touvron et
   * al. 2023).
   */
  LLAMA
}
