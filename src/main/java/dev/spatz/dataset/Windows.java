package dev.spatz.dataset;

import java.util.Arrays;
import java.util.Objects;

/**
 * Windows of T tokens (the context length) over a {@link TokenSequence}: inputs, and as targets the
 * tokens that follow each of them.
 *
 * <p>For <b>evaluation</b>, windows 0 to {@code count() - 1} follow each other without overlap and
 * predict every token but the very first, which nothing precedes, exactly once: window k has the
 * inputs kT to kT + n − 1 and the targets kT + 1 to kT + n, where n is T, or less in the last
 * window. For <b>training</b>, {@code sample} reads a full window from any of {@link #starts()}
 * positions; the caller draws it.
 *
 * <p>Safe for use by many threads, as long as the data set is open.
 */
public final class Windows {
  /** The target that is not counted in a loss: there is nothing to predict. */
  public static final int NO_TARGET = -1;

  private final TokenSequence tokens;
  private final int contextLength;

  Windows(TokenSequence tokens, int contextLength) {
    if (contextLength < 1) {
      throw new IllegalArgumentException("contextLength (" + contextLength + ") must be positive");
    }
    this.tokens = tokens;
    this.contextLength = contextLength;
  }

  /** {@return T, the number of inputs in a full window} */
  public int contextLength() {
    return contextLength;
  }

  /**
   * {@return the number of windows that predict every token but the first once; 0 for less than 2
   * tokens}
   */
  public long count() {
    return tokens.length() < 2 ? 0 : (tokens.length() - 2) / contextLength + 1;
  }

  /**
   * Reads window {@code k} of the evaluation walk into {@code inputs[offset…offset + T - 1]} and
   * {@code targets} at the same indexes. Behind the n of a short last window, inputs are 0 and
   * targets {@link #NO_TARGET}.
   *
   * @param k 0 to {@code count() - 1}
   * @param inputs receives T ids
   * @param targets receives T ids
   * @param offset of the first one in both arrays
   * @return n, the number of targets: T but for the last window
   * @throws IndexOutOfBoundsException if there is no window k or the arrays have no T places from
   *     {@code offset} on
   * @throws IllegalStateException if the data set is closed
   * @throws java.io.UncheckedIOException if the token file is broken
   */
  public int read(long k, int[] inputs, int[] targets, int offset) {
    Objects.checkIndex(k, count());
    Objects.checkFromIndexSize(offset, contextLength, Math.min(inputs.length, targets.length));
    long start = k * contextLength;
    int n = (int) Math.min(contextLength, tokens.length() - 1 - start);
    tokens.read(start, inputs, offset, n);
    tokens.read(start + 1, targets, offset, n);
    Arrays.fill(inputs, offset + n, offset + contextLength, 0);
    Arrays.fill(targets, offset + n, offset + contextLength, NO_TARGET);
    return n;
  }

  /**
   * {@return the number of positions at which a full window and its targets can start; may be 0}
   */
  public long starts() {
    return Math.max(0, tokens.length() - contextLength);
  }

  /**
   * Reads the full window at {@code start}: T inputs and T targets, from {@code offset} on.
   *
   * @param start 0 to {@code starts() - 1}
   * @param inputs receives T ids
   * @param targets receives T ids
   * @param offset of the first one in both arrays
   * @throws IndexOutOfBoundsException if no full window starts there or the arrays have no T places
   *     from {@code offset} on
   * @throws IllegalStateException if the data set is closed
   * @throws java.io.UncheckedIOException if the token file is broken
   */
  public void sample(long start, int[] inputs, int[] targets, int offset) {
    Objects.checkIndex(start, starts());
    tokens.read(start, inputs, offset, contextLength);
    tokens.read(start + 1, targets, offset, contextLength);
  }
}
