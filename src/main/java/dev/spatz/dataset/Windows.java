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
public final class Windows implements Sequences {
  private final TokenSequence tokens;
  private final int contextLength;

  Windows(TokenSequence tokens, int contextLength) {
    if (contextLength < 1) {
      throw new IllegalArgumentException("contextLength (" + contextLength + ") must be positive");
    }
    this.tokens = tokens;
    this.contextLength = contextLength;
  }

  @Override
  public int length() {
    return contextLength;
  }

  /**
   * {@return the number of windows that predict every token but the first once; 0 for less than 2
   * tokens}
   */
  @Override
  public long count() {
    return tokens.length() < 2 ? 0 : (tokens.length() - 2) / contextLength + 1;
  }

  @Override
  public long allTargets() {
    return Math.max(0, tokens.length() - 1);
  }

  /** Behind the n of a short last window, inputs are 0 and targets {@link #NO_TARGET}. */
  @Override
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
  @Override
  public long starts() {
    return Math.max(0, tokens.length() - contextLength);
  }

  /** Any window may be drawn at any time: they overlap. */
  @Override
  public boolean inEpochs() {
    return false;
  }

  @Override
  public int targets(long start) {
    return contextLength;
  }

  @Override
  public int examples(long k) {
    return 1;
  }

  @Override
  public long textBytes(long k, int example) {
    Objects.checkIndex(example, 1);
    long start = k * contextLength;
    long n = Math.min(contextLength, tokens.length() - 1 - start);
    return tokens.textBytes(start + 1, start + 1 + n);
  }

  @Override
  public boolean packed() {
    return false;
  }

  @Override
  public int[] lengths(long k) {
    return new int[] {contextLength};
  }

  /** Reads the full window that begins at token {@code start}. */
  @Override
  public void sample(long start, int[] inputs, int[] targets, int offset) {
    Objects.checkIndex(start, starts());
    tokens.read(start, inputs, offset, contextLength);
    tokens.read(start + 1, targets, offset, contextLength);
  }
}
