package dev.spatz.training;

/** Which kind of tokenizer a new model learns from its corpus. */
public enum TokenizerKind {
  /** Byte-level byte-pair encoding: any text, a vocabulary of chosen size. */
  BYTE_PAIR,
  /** One id for every character that occurs in the corpus; others cannot be encoded. */
  CHARACTER
}
