package dev.spatz.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;

/** A file of a {@link FailingDisk}. */
final class FailingChannel extends FileChannel {
  private final FileChannel real;
  private final Change change;

  /** Throws if the disk is full. */
  interface Change {
    void happens() throws IOException;
  }

  FailingChannel(FileChannel real, Change change) {
    this.real = real;
    this.change = change;
  }

  /** A write that fails has written half of its bytes. */
  private interface Writing {
    int of(ByteBuffer bytes) throws IOException;
  }

  private int write(ByteBuffer bytes, Writing writing) throws IOException {
    try {
      change.happens();
    } catch (IOException e) {
      writing.of(bytes.slice().limit(bytes.remaining() / 2));
      throw e;
    }
    return writing.of(bytes);
  }

  @Override
  public int write(ByteBuffer bytes) throws IOException {
    return write(bytes, real::write);
  }

  @Override
  public int write(ByteBuffer bytes, long position) throws IOException {
    return write(bytes, part -> real.write(part, position));
  }

  @Override
  public long write(ByteBuffer[] bytes, int offset, int length) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void force(boolean metadata) throws IOException {
    change.happens();
    real.force(metadata);
  }

  @Override
  public FileChannel truncate(long size) throws IOException {
    change.happens();
    real.truncate(size);
    return this;
  }

  @Override
  public int read(ByteBuffer into) throws IOException {
    return real.read(into);
  }

  @Override
  public long read(ByteBuffer[] into, int offset, int length) throws IOException {
    return real.read(into, offset, length);
  }

  @Override
  public int read(ByteBuffer into, long position) throws IOException {
    return real.read(into, position);
  }

  @Override
  public long position() throws IOException {
    return real.position();
  }

  @Override
  public FileChannel position(long position) throws IOException {
    real.position(position);
    return this;
  }

  @Override
  public long size() throws IOException {
    return real.size();
  }

  @Override
  public long transferTo(long position, long count, WritableByteChannel target) throws IOException {
    return real.transferTo(position, count, target);
  }

  @Override
  public long transferFrom(ReadableByteChannel source, long position, long count) {
    throw new UnsupportedOperationException();
  }

  @Override
  public MappedByteBuffer map(MapMode mode, long position, long size) throws IOException {
    return real.map(mode, position, size);
  }

  @Override
  public FileLock lock(long position, long size, boolean shared) throws IOException {
    return real.lock(position, size, shared);
  }

  @Override
  public FileLock tryLock(long position, long size, boolean shared) throws IOException {
    return real.tryLock(position, size, shared);
  }

  @Override
  protected void implCloseChannel() throws IOException {
    real.close();
  }
}
