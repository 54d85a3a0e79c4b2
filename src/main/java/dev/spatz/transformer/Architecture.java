package dev.spatz.transformer;

/** The families of models that can be trained and loaded; each loads in other programs too. */
public enum Architecture {
  /** Layer normalization, learned positions, GELU (Radford et al. 2019). */
  GPT2,
  /**
   * Root-mean-square normalization, rotary positions, SwiGLU, grouped key/value heads (Touvron et
   * al. 2023).
   */
  LLAMA,
  /** A Llama whose queries, keys and values have biases (Yang et al. 2024). */
  QWEN2,
  /** A Llama whose query and key heads are normalized, each by itself (Yang et al. 2025). */
  QWEN3
}
