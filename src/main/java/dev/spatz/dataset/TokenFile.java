package dev.spatz.dataset;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Token ids in a memory-mapped file, of any length. Safe for use by many threads.
 *
 * <p>The file must not be changed while it is open. The operating system takes the mapping back
 * some time after {@link #close()}, when the last reader is gone.
 */
final class TokenFile implements AutoCloseable {
  /** No view is larger, wherever buffers are indexed by int. */
  static final int SEGMENT_BYTES = 1 << 30;

  private static final int CHUNK = 1 << 12;

  private final Path path;
  private final TokenFileHeader header;
  private final int segmentIds;
  private volatile ByteBuffer @Nullable [] segments;

  private TokenFile(Path path, TokenFileHeader header, ByteBuffer[] segments, int segmentIds) {
    this.path = path;
    this.header = header;
    this.segments = segments;
    this.segmentIds = segmentIds;
  }

  /**
   * Opens a token file. Its header is held against the size of the file; its ids are checked as
   * they are read.
   *
   * @param path the file
   * @return an open file that the caller closes
   * @throws IOException if it cannot be read or is no sound token file; the message names the file,
   *     the byte offset and the fault
   */
  public static TokenFile open(Path path) throws IOException {
    return open(path, SEGMENT_BYTES);
  }

  static TokenFile open(Path path, int segmentBytes) throws IOException {
    try (FileChannel channel = FileChannel.open(path)) {
      TokenFileHeader header = TokenFileHeader.read(path, channel);
      long size = header.length() * header.idBytes();
      ByteBuffer[] segments =
          new ByteBuffer[Math.toIntExact((size + segmentBytes - 1) / segmentBytes)];
      for (int i = 0; i < segments.length; i++) {
        long start = (long) i * segmentBytes;
        segments[i] =
            channel
                .map(
                    FileChannel.MapMode.READ_ONLY,
                    header.bytes() + start,
                    Math.min(segmentBytes, size - start))
                .order(ByteOrder.LITTLE_ENDIAN);
      }
      return new TokenFile(path, header, segments, segmentBytes / header.idBytes());
    }
  }

  /** {@return where the file is} */
  public Path path() {
    return path;
  }

  /** {@return the number of ids} */
  public long length() {
    return header.length();
  }

  /** {@return the size of the vocabulary; every id is smaller} */
  public int vocabularySize() {
    return header.vocabularySize();
  }

  TokenFileHeader header() {
    return header;
  }

  /**
   * The id at a position.
   *
   * @param position from 0
   * @return the id
   * @throws IndexOutOfBoundsException if the position is outside the file
   * @throws IllegalStateException if this is closed
   * @throws UncheckedIOException as {@link #read}
   */
  public int get(long position) {
    int[] id = new int[1];
    read(position, id, 0, 1);
    return id[0];
  }

  /**
   * Reads {@code count} ids from {@code position} on into {@code into[offset…]}.
   *
   * @param position of the first id, from 0
   * @param into receives the ids
   * @param offset of the first one in {@code into}
   * @param count how many
   * @throws IndexOutOfBoundsException if a position is outside the file or an index outside the
   *     array
   * @throws IllegalStateException if this is closed
   * @throws UncheckedIOException if an id is not in the vocabulary: the file is broken; the message
   *     names the file and the position
   */
  public void read(long position, int[] into, int offset, int count) {
    Objects.checkFromIndexSize(position, count, length());
    Objects.checkFromIndexSize(offset, count, into.length);
    ByteBuffer[] open = segments;
    if (open == null) {
      throw new IllegalStateException("the token file " + path + " is closed");
    }
    for (int done = 0; done < count; ) {
      long from = position + done;
      int index = (int) (from % segmentIds);
      int n = Math.min(count - done, segmentIds - index);
      read(open[(int) (from / segmentIds)], index, into, offset + done, n);
      done += n;
    }
    for (int i = offset; i < offset + count; i++) {
      if (into[i] < 0 || into[i] >= vocabularySize()) {
        throw new UncheckedIOException(
            new IOException(
                path
                    + ", position "
                    + (position + i - offset)
                    + ": id "
                    + into[i]
                    + " is outside the vocabulary of "
                    + vocabularySize()));
      }
    }
  }

  private void read(ByteBuffer segment, int index, int[] into, int offset, int count) {
    if (header.idBytes() == Short.BYTES) {
      for (int i = 0; i < count; i++) {
        into[offset + i] = Short.toUnsignedInt(segment.getShort((index + i) * Short.BYTES));
      }
    } else {
      for (int i = 0; i < count; i++) {
        into[offset + i] = segment.getInt((index + i) * Integer.BYTES);
      }
    }
  }

  /**
   * The bytes of UTF-8 text that the ids from {@code from} to {@code to} (exclusive) stand for;
   * end-of-text tokens stand for none. Reads them all.
   *
   * @param from the first position
   * @param to the position after the last
   * @return bytes
   * @throws IndexOutOfBoundsException if the range is not within the file
   * @throws IllegalStateException if this is closed
   * @throws UncheckedIOException as {@link #read}
   */
  public long textBytes(long from, long to) {
    Objects.checkFromToIndex(from, to, length());
    int[] ids = new int[(int) Math.min(CHUNK, to - from)];
    int[] textBytes = header.textBytes();
    long sum = 0;
    for (long position = from; position < to; position += ids.length) {
      int count = (int) Math.min(ids.length, to - position);
      read(position, ids, 0, count);
      for (int i = 0; i < count; i++) {
        sum += textBytes[ids[i]];
      }
    }
    return sum;
  }

  /** Gives the mapping up; reading is refused from now on. The file stays. */
  @Override
  public void close() {
    segments = null;
  }
}
