package dev.spatz.kernel;

import org.jspecify.annotations.Nullable;
import org.nd4j.nativeblas.NativeOps;
import org.nd4j.nativeblas.NativeOpsHolder;

/**
 * The OpenMP width of the thread that kernels work in, which is a setting of the thread: 1 while
 * they do, and what it was before once they are closed by it, since it may be an embedder's thread
 * with ND4J work of its own.
 */
final class OpenMpWidth {
  private @Nullable Thread thread;
  private int before;

  /** Narrows the calling thread, unless it is the one that was narrowed last: then false. */
  boolean narrow() {
    Thread current = Thread.currentThread();
    if (thread == current) {
      return false;
    }
    thread = current;
    before = operations().ompGetMaxThreads();
    operations().setOmpNumThreads(1);
    return true;
  }

  /** Gives the thread its width back, if it is the calling one. */
  void restore() {
    if (thread == Thread.currentThread()) {
      operations().setOmpNumThreads(before);
      thread = null;
    }
  }

  private static NativeOps operations() {
    return NativeOpsHolder.getInstance().getDeviceNativeOps();
  }
}
