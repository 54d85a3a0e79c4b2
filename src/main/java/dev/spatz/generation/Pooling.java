package dev.spatz.generation;

/** How the hidden states of a text's tokens become one vector. */
public enum Pooling {
  /** Their mean: what the text is about as a whole. */
  MEAN,
  /** The last one, which has seen all the text: what comes next. */
  LAST
}
