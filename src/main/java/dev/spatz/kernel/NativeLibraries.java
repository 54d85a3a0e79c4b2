package dev.spatz.kernel;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The native libraries, loaded on a thread of their own: that takes a third of a second, in which
 * the caller can read files. He touches no tensor before {@link #await}, since classes that load
 * libraries may wait for each other forever if two threads begin with them at once.
 */
public final class NativeLibraries {
  private final CompletableFuture<Void> loading =
      CompletableFuture.runAsync(NativeLibraries::load, NativeLibraries::start);

  private NativeLibraries() {}

  /** Begins; where they are loaded already, nothing is left to wait for. */
  public static NativeLibraries loading() {
    return new NativeLibraries();
  }

  private static void start(Runnable task) {
    Thread thread = new Thread(task, "spatz-natives");
    thread.setDaemon(true);
    thread.start();
  }

  private static void load() {
    KernelBackend.ONEDNN.obstacle();
    Nd4j.getBackend();
  }

  /** Waits until they are loaded, also when the thread is interrupted; throws why they are not. */
  public void await() {
    try {
      loading.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw new IllegalStateException("the native libraries cannot be loaded", e.getCause());
    }
  }
}
