package dev.spatz.generation;

import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/** Keeps a model's memory while calls on it are under way. Safe for use by many threads. */
public final class ModelLifetime {
  private final ReadWriteLock inUse = new ReentrantReadWriteLock();
  private boolean closed;

  /** The model is open. */
  public ModelLifetime() {}

  /** A call on a model. */
  @FunctionalInterface
  public interface Call<T extends @Nullable Object, E extends Exception> {
    /** Runs it. */
    T run() throws E;
  }

  /**
   * Runs a call; while it is under way, the model's memory is not freed.
   *
   * @throws IllegalStateException if the model is closed
   */
  public <T extends @Nullable Object, E extends Exception> T whileOpen(Call<T, E> call) throws E {
    inUse.readLock().lock();
    try {
      if (closed) {
        throw new IllegalStateException("the model is closed");
      }
      return call.run();
    } finally {
      inUse.readLock().unlock();
    }
  }

  /** Frees memory when the calls under way have ended; later ones are refused. */
  public void close(Runnable free) {
    inUse.writeLock().lock();
    try {
      closed = true;
      free.run();
    } finally {
      inUse.writeLock().unlock();
    }
  }
}
