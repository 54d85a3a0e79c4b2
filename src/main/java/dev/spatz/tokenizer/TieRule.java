package dev.spatz.tokenizer;

import java.util.function.IntFunction;

/** Which of two pairs of tokens that are equally frequent is merged first. */
@FunctionalInterface
interface TieRule {
  /** As Hugging Face's trainer: the smaller left id, then the smaller right id. */
  TieRule SMALLEST_IDS = (a, b, bytes) -> Long.compare(a, b);

  /**
   * Negative if pair {@code a} goes first.
   *
   * @param a a pair, see {@link PairMap#key}
   * @param b another
   * @param bytes the bytes of an id
   */
  int compare(long a, long b, IntFunction<byte[]> bytes);
}
