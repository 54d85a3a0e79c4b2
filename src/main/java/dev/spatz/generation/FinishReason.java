package dev.spatz.generation;

/** Why a generation stopped. */
public enum FinishReason {
  /** The model ended the text, or drew another token that ends it. */
  END_OF_TEXT,
  /** The most new tokens are reached. */
  MAX_NEW_TOKENS,
  /** The context is full. */
  CONTEXT_FULL,
  /** A stop string is complete. */
  STOP_STRING,
  /** The time is over. */
  DEADLINE,
  /** The caller cancelled it, closed its stream, or interrupted its thread. */
  CANCELLED,
  /** The configuration forbids every token. */
  NOTHING_ALLOWED,
  /** The text has the form that the constraint demands, and nothing can be added to it. */
  CONSTRAINT_MET,
  /** The most new tokens are reached, or the context is full, before the text has that form. */
  CONSTRAINT_UNFINISHED
}
