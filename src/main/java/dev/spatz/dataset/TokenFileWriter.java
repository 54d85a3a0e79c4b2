package dev.spatz.dataset;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * Writes a token file as a stream. It grows beside its place under another name and is moved there
 * by {@link #commit}; closed before, it is deleted.
 */
final class TokenFileWriter implements AutoCloseable {
  private static final int BUFFER_BYTES = 1 << 18;

  private final Path target;
  private final Path partial;
  private final int[] textBytes;
  private final boolean shortIds;
  private final FileChannel channel;
  private final ByteBuffer buffer =
      ByteBuffer.allocate(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private long length;
  private boolean committed;

  /**
   * Begins a file.
   *
   * @param target where it will be; replaced if it exists
   * @param textBytes bytes of text that each id of the vocabulary stands for
   */
  TokenFileWriter(Path target, int[] textBytes) throws IOException {
    for (int id = 0; id < textBytes.length; id++) {
      if (textBytes[id] > TokenFileHeader.MAX_TEXT_BYTES) {
        throw new IllegalArgumentException(
            "id "
                + id
                + " stands for "
                + textBytes[id]
                + " bytes; a token file allows "
                + TokenFileHeader.MAX_TEXT_BYTES);
      }
    }
    this.target = target;
    this.partial = target.resolveSibling(target.getFileName() + ".partial");
    this.textBytes = textBytes;
    this.shortIds = textBytes.length <= TokenFileHeader.MAX_SHORT_VOCABULARY;
    this.channel = FileChannel.open(partial, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    boolean ours = false;
    try {
      lock();
      ours = true;
      channel.truncate(0);
      channel.position(TokenFileHeader.bytes(textBytes.length));
    } catch (IOException e) {
      channel.close();
      if (ours) {
        Files.deleteIfExists(partial);
      }
      throw e;
    }
  }

  /** Two writers of one file would mix their ids. */
  private void lock() throws IOException {
    boolean locked;
    try {
      locked = channel.tryLock() != null;
    } catch (OverlappingFileLockException e) {
      locked = false; // held in this virtual machine
    }
    if (!locked) {
      throw new IOException(partial + " is being written by someone else");
    }
  }

  /** The number of ids written. */
  long length() {
    return length;
  }

  /** Appends ids. */
  void write(int... ids) throws IOException {
    for (int id : ids) {
      if (id < 0 || id >= textBytes.length) {
        throw new IllegalArgumentException(
            "id " + id + " is outside the vocabulary of " + textBytes.length);
      }
      if (buffer.remaining() < Integer.BYTES) {
        drain();
      }
      if (shortIds) {
        buffer.putShort((short) id);
      } else {
        buffer.putInt(id);
      }
    }
    length += ids.length;
  }

  private void drain() throws IOException {
    buffer.flip();
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
    buffer.clear();
  }

  /** Completes the file and moves it to its place. */
  void commit(long trainLength, byte[] digest) throws IOException {
    drain();
    new TokenFileHeader(textBytes.length, length, trainLength, digest, textBytes).write(channel);
    channel.force(true);
    channel.close();
    Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
    committed = true;
  }

  @Override
  public void close() throws IOException {
    channel.close();
    if (!committed) {
      Files.deleteIfExists(partial);
    }
  }
}
