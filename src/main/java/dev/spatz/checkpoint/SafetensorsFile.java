package dev.spatz.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An open safetensors file, its header read and checked against the file's size. Values are read in
 * blocks, as numbers, wherever they lie in a file of any size. Belongs to one thread at a time.
 */
final class SafetensorsFile implements AutoCloseable {
  private static final int BUFFER_BYTES = 1 << 18;

  /** What a pointer begins with, as many bytes as the length of a header has. */
  private static final String LFS_POINTER = "version ";

  private final Path path;
  private final FileChannel channel;
  private final long dataStart;
  private final Map<String, String> metadata;
  private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
  private final ByteBuffer buffer =
      ByteBuffer.allocate(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);

  private SafetensorsFile(
      Path path, FileChannel channel, long dataStart, SafetensorsHeader header) {
    this.path = path;
    this.channel = channel;
    this.dataStart = dataStart;
    this.metadata = header.metadata();
    header.tensors().forEach(tensor -> tensors.put(tensor.name(), tensor));
  }

  /**
   * Opens a file; the caller closes it.
   *
   * @throws InvalidFileException if it is not a valid safetensors file
   */
  static SafetensorsFile open(Path path) throws IOException {
    FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
    try {
      return open(path, channel);
    } catch (Throwable e) {
      channel.close();
      throw e;
    }
  }

  private static SafetensorsFile open(Path path, FileChannel channel) throws IOException {
    long size = channel.size();
    if (size < Long.BYTES) {
      throw new InvalidFileException(
          path,
          String.format(
              Locale.ROOT,
              "the file has %d bytes; the length of the header alone needs %d",
              size,
              Long.BYTES));
    }
    ByteBuffer start = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    readFully(path, channel, start, 0);
    if (new String(start.array(), StandardCharsets.ISO_8859_1).equals(LFS_POINTER)) {
      throw new InvalidFileException(
          path, "this is a pointer of Git LFS in place of the file; fetch that with git lfs pull");
    }
    long length = start.getLong(0);
    if (length < 0 || length > SafetensorsHeader.MAXIMUM_LENGTH) {
      throw new InvalidFileException(
          path,
          String.format(
              Locale.ROOT,
              "the header has %s bytes; the format allows %,d",
              Long.toUnsignedString(length),
              SafetensorsHeader.MAXIMUM_LENGTH));
    }
    long dataStart = Long.BYTES + length;
    if (dataStart > size) {
      throw new InvalidFileException(
          path,
          String.format(
              Locale.ROOT,
              "the header would end at byte %d, but the file has %d",
              dataStart,
              size));
    }
    ByteBuffer bytes = ByteBuffer.allocate((int) length);
    readFully(path, channel, bytes, Long.BYTES);
    SafetensorsHeader header = SafetensorsHeader.parse(path, bytes.array(), size - dataStart);
    return new SafetensorsFile(path, channel, dataStart, header);
  }

  Path path() {
    return path;
  }

  Map<String, String> metadata() {
    return metadata;
  }

  /** The tensors' names in the order of their places in the file. */
  Set<String> names() {
    return Collections.unmodifiableSet(tensors.keySet());
  }

  /** The tensor of a name, or null. */
  @Nullable TensorInfo find(String name) {
    return tensors.get(name);
  }

  /**
   * Reads elements {@code from}…{@code from + count − 1} of a tensor into {@code into[offset…]}.
   *
   * @throws IllegalArgumentException if the tensor's type cannot be read, or it has no such
   *     elements
   * @throws InvalidFileException if the file has become shorter since it was opened
   */
  void read(TensorInfo tensor, long from, double[] into, int offset, int count) throws IOException {
    if (from < 0 || count < 0 || from > tensor.elements() - count) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "elements %d…%d are not within tensor %s of shape %s",
              from,
              from + count - 1,
              tensor.name(),
              tensor.shape()));
    }
    int width = tensor.type().bytes();
    long position = dataStart + tensor.begin() + from * width;
    for (int done = 0; done < count; ) {
      int block = Math.min(count - done, BUFFER_BYTES / width);
      buffer.clear().limit(block * width);
      readFully(path, channel, buffer, position);
      tensor.type().get(buffer.flip(), into, offset + done, block);
      position += (long) block * width;
      done += block;
    }
  }

  private static void readFully(Path path, FileChannel channel, ByteBuffer buffer, long position)
      throws IOException {
    long next = position;
    while (buffer.hasRemaining()) {
      int read = channel.read(buffer, next);
      if (read < 0) {
        throw new InvalidFileException(
            path, "the file ended at byte " + next + " while being read");
      }
      next += read;
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
