package dev.spatz.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.UUID;

/**
 * Writes a GGUF file of version 3, some rows at a time: the keys and values, the descriptions of
 * the tensors, and their data, each at a multiple of {@value #ALIGNMENT} bytes.
 *
 * @see <a href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">GGUF</a>
 */
final class GgufWriter {
  static final int ALIGNMENT = 32;

  private static final byte[] MAGIC = "GGUF".getBytes(StandardCharsets.US_ASCII);
  private static final int VERSION = 3;
  private static final int LONGEST_NAME = 64;

  /** Elements converted at a time, unless a single row has more. */
  private static final int BLOCK = 1 << 16;

  private final FileChannel channel;

  private GgufWriter(FileChannel channel) {
    this.channel = channel;
  }

  /**
   * Writes a file, whole or not at all; a GGUF file that was there before is replaced.
   *
   * @throws FileAlreadyExistsException if there is something else of this name
   * @throws IllegalArgumentException if a name is too long or there twice, or a tensor has a value
   *     that its type cannot hold
   */
  static void write(Path path, GgufMetadata metadata, List<GgufTensor> tensors) throws IOException {
    requireNames(tensors);
    requireReplaceable(path);
    Path target = AtomicDirectory.resolve(path);
    Path fresh =
        target.resolveSibling("." + target.getFileName() + ".spatz-tmp-" + UUID.randomUUID());
    try {
      try (FileChannel channel =
          FileChannel.open(fresh, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        new GgufWriter(channel).write(metadata, tensors);
        channel.force(true);
      }
      requireReplaceable(target); // once more: writing took its time
      Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(fresh);
    }
  }

  private static void requireNames(List<GgufTensor> tensors) {
    Set<String> names = new HashSet<>();
    for (GgufTensor tensor : tensors) {
      int length = tensor.name().getBytes(StandardCharsets.UTF_8).length;
      if (length > LONGEST_NAME || !names.add(tensor.name())) {
        throw new IllegalArgumentException(
            "tensor " + tensor.name() + " must have a name of its own, of at most 64 bytes");
      }
    }
  }

  private static void requireReplaceable(Path path) throws IOException {
    if (!Files.exists(path)) {
      return;
    }
    if (Files.isRegularFile(path)) {
      try (var in = Files.newInputStream(path)) {
        byte[] start = in.readNBytes(MAGIC.length);
        if (start.length == 0 || Arrays.equals(start, MAGIC)) {
          return;
        }
      }
    }
    throw new FileAlreadyExistsException(
        path.toString(), null, "it is no GGUF file, and would be lost; name a new file");
  }

  private void write(GgufMetadata metadata, List<GgufTensor> tensors) throws IOException {
    writeFully(
        little(24)
            .put(MAGIC)
            .putInt(VERSION)
            .putLong(tensors.size())
            .putLong(metadata.size())
            .flip());
    writeFully(ByteBuffer.wrap(metadata.bytes()));
    long offset = 0;
    for (GgufTensor tensor : tensors) {
      writeFully(description(tensor, offset));
      offset = aligned(offset + tensor.bytes());
    }
    for (GgufTensor tensor : tensors) {
      pad();
      writeValues(tensor);
    }
    pad();
  }

  private static ByteBuffer description(GgufTensor tensor, long offset) {
    byte[] name = tensor.name().getBytes(StandardCharsets.UTF_8);
    int rank = tensor.shape().size();
    ByteBuffer bytes = little(Long.BYTES * (rank + 2) + name.length + 2 * Integer.BYTES);
    bytes.putLong(name.length).put(name).putInt(rank);
    for (int i = rank - 1; i >= 0; i--) { // the format has the fastest dimension first
      bytes.putLong(tensor.shape().get(i));
    }
    return bytes.putInt(tensor.type().code()).putLong(offset).flip();
  }

  private void writeValues(GgufTensor tensor) throws IOException {
    int columns = tensor.columns();
    int rows = (int) Math.max(1, Math.min(tensor.rows(), BLOCK / columns));
    float[] values = new float[Math.multiplyExact(rows, columns)];
    ByteBuffer bytes = little(Math.toIntExact(tensor.type().bytes(values.length)));
    for (long row = 0; row < tensor.rows(); row += rows) {
      int count = (int) Math.min(rows, tensor.rows() - row);
      tensor.values().read(row, count, columns, values);
      try {
        tensor.type().put(values, count * columns, bytes);
      } catch (ArithmeticException e) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "type (%s) does not hold %s of tensor %s; export as F32",
                tensor.type(),
                e.getMessage(),
                tensor.name()),
            e);
      }
      writeFully(bytes.flip());
      bytes.clear();
    }
  }

  private void pad() throws IOException {
    long position = channel.position();
    writeFully(ByteBuffer.allocate((int) (aligned(position) - position)));
  }

  private static long aligned(long offset) {
    return (offset + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  private void writeFully(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  private static ByteBuffer little(int length) {
    return ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
  }
}
