package dev.spatz.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Keeps two trainings out of one directory. The lock is the operating system's, on a file that has
 * the owner's process id in it for others to read; it ends with the process, however that ends.
 */
final class RunLock implements AutoCloseable {
  static final String NAME = "run.lock";

  /** Far behind the process id, which others must be able to read where locks are mandatory. */
  private static final long LOCKED_BYTE = Long.MAX_VALUE - 1;

  /**
   * The locked files of this process. The operating system knows processes only, and releases a
   * lock when any channel of the process to its file is closed: none may even be opened twice.
   */
  private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

  private final Path file;
  private final FileChannel channel;

  private RunLock(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /**
   * Locks a directory until the lock is closed.
   *
   * @throws IOException if it is locked already; the message has the id of the process
   */
  static RunLock of(Path directory) throws IOException {
    Path file = directory.toRealPath().resolve(NAME);
    if (!HELD.add(file)) {
      throw held(directory, "this process (" + ProcessHandle.current().pid() + ")");
    }
    try {
      return new RunLock(file, lock(directory, file));
    } catch (Throwable e) {
      HELD.remove(file);
      throw e;
    }
  }

  private static FileChannel lock(Path directory, Path file) throws IOException {
    FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      if (channel.tryLock(LOCKED_BYTE, 1, false) == null) {
        String owner = Files.readString(file).strip();
        throw held(
            directory, owner.isEmpty() ? "another process" : "another process (" + owner + ")");
      }
      String id = Long.toString(ProcessHandle.current().pid());
      channel.truncate(0);
      channel.write(ByteBuffer.wrap((id + "\n").getBytes(StandardCharsets.US_ASCII)), 0);
      return channel;
    } catch (Throwable e) {
      channel.close();
      throw e;
    }
  }

  private static IOException held(Path directory, String owner) {
    return new IOException(
        directory + ": " + owner + " is training in this directory; wait, or name another one");
  }

  @Override
  public void close() throws IOException {
    if (channel.isOpen()) {
      channel.close();
      HELD.remove(file);
    }
  }
}
