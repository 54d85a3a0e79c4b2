package dev.spatz.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Writes a safetensors file, block by block, in the order that the format's own writer has. */
final class SafetensorsWriter {
  private static final int BUFFER_BYTES = 1 << 18;

  private final FileChannel channel;
  private final ByteBuffer buffer =
      ByteBuffer.allocate(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private TensorType type = TensorType.F32;
  private long elements;

  private SafetensorsWriter(FileChannel channel) {
    this.channel = channel;
  }

  /** A tensor to write: what it is, and where its values come from. */
  record Tensor(TensorInfo info, Values values) {}

  /** Hands over the values of a tensor in row-major order. */
  interface Values {
    void writeTo(SafetensorsWriter writer) throws IOException;
  }

  /**
   * Writes a new file and forces it to the disk.
   *
   * @throws IllegalArgumentException if two tensors have one name, or one's values are not as many
   *     as its shape says
   * @throws java.nio.file.FileAlreadyExistsException if the file exists
   */
  static void write(Path path, Map<String, String> metadata, List<Tensor> tensors)
      throws IOException {
    Map<String, Values> values = new HashMap<>();
    for (Tensor tensor : tensors) {
      if (values.put(tensor.info().name(), tensor.values()) != null) {
        throw new IllegalArgumentException("two tensors are named " + tensor.info().name());
      }
    }
    SafetensorsHeader header =
        SafetensorsHeader.arrange(metadata, tensors.stream().map(Tensor::info).toList());
    try (FileChannel channel =
        FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      byte[] bytes = header.bytes();
      ByteBuffer start = ByteBuffer.allocate(Long.BYTES + bytes.length);
      writeFully(
          channel, start.order(ByteOrder.LITTLE_ENDIAN).putLong(bytes.length).put(bytes).flip());
      SafetensorsWriter writer = new SafetensorsWriter(channel);
      for (TensorInfo tensor : header.tensors()) {
        writer.write(tensor, values.get(tensor.name()));
      }
      channel.force(true);
    }
  }

  private void write(TensorInfo tensor, Values values) throws IOException {
    type = tensor.type();
    elements = 0;
    values.writeTo(this);
    flush();
    if (elements != tensor.elements()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "tensor %s of shape %s got %d values",
              tensor.name(),
              tensor.shape(),
              elements));
    }
  }

  /** The next {@code count} values of the tensor being written. */
  void write(double[] values, int offset, int count) throws IOException {
    int width = type.bytes();
    for (int done = 0; done < count; ) {
      if (buffer.remaining() < width) {
        flush();
      }
      int block = Math.min(count - done, buffer.remaining() / width);
      type.put(values, offset + done, block, buffer);
      done += block;
    }
    elements += count;
  }

  private void flush() throws IOException {
    writeFully(channel, buffer.flip());
    buffer.clear();
  }

  private static void writeFully(FileChannel channel, ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
  }
}
