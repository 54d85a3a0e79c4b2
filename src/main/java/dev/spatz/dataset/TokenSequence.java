package dev.spatz.dataset;

import java.io.UncheckedIOException;
import java.util.Objects;

/**
 * A part of a {@link TokenFile}: token ids at positions 0 to {@code length() - 1}. Safe for use by
 * many threads, as long as the file is open.
 */
public final class TokenSequence {
  private final TokenFile file;
  private final long start;
  private final long length;

  TokenSequence(TokenFile file, long start, long length) {
    Objects.checkFromIndexSize(start, length, file.length());
    this.file = file;
    this.start = start;
    this.length = length;
  }

  /** {@return the number of tokens} */
  public long length() {
    return length;
  }

  /** {@return the size of the vocabulary; every id is smaller} */
  public int vocabularySize() {
    return file.vocabularySize();
  }

  /**
   * Reads {@code count} ids from {@code position} on into {@code into[offset…]}.
   *
   * @param position of the first id, from 0
   * @param into receives the ids
   * @param offset of the first one in {@code into}
   * @param count how many
   * @throws IndexOutOfBoundsException if a position is outside this part or an index outside the
   *     array
   * @throws IllegalStateException if the data set is closed
   * @throws UncheckedIOException if an id is not in the vocabulary: the file is broken; the message
   *     names the file and the position in it
   */
  public void read(long position, int[] into, int offset, int count) {
    Objects.checkFromIndexSize(position, count, length);
    file.read(start + position, into, offset, count);
  }

  /**
   * The bytes of UTF-8 text that all tokens stand for. Reads them all.
   *
   * @return bytes
   * @throws IllegalStateException if the data set is closed
   * @throws UncheckedIOException as {@link #read}
   */
  public long textBytes() {
    return textBytes(0, length);
  }

  /**
   * The bytes of UTF-8 text that the tokens from {@code from} to {@code to} (exclusive) stand for;
   * end-of-text tokens stand for none. Reads them all. Where a character's tokens are on both sides
   * of an end, each side has its own bytes, so that parts add up.
   *
   * @param from the first position
   * @param to the position after the last
   * @return bytes
   * @throws IndexOutOfBoundsException if the range is not within this part
   * @throws IllegalStateException if the data set is closed
   * @throws UncheckedIOException as {@link #read}
   */
  public long textBytes(long from, long to) {
    Objects.checkFromToIndex(from, to, length);
    return file.textBytes(start + from, start + to);
  }

  /**
   * This part in windows of at most {@code contextLength} tokens.
   *
   * @param contextLength at least 1
   * @return a view; it holds no tokens
   * @throws IllegalArgumentException if the context length is not positive
   */
  public Windows windows(int contextLength) {
    return new Windows(this, contextLength);
  }
}
