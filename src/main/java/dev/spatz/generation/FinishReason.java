package dev.spatz.generation;

/** Why a generation stopped. */
public enum FinishReason {
  /** The model ended the text. */
  END_OF_TEXT,
  /** The most new tokens are reached. */
  MAX_NEW_TOKENS,
  /** The context is full. */
  CONTEXT_FULL
}
