package dev.spatz.cli;

import dev.spatz.training.Cancellation;
import java.io.PrintWriter;
import java.util.concurrent.CountDownLatch;

/**
 * Lets Ctrl-C end a training run in good order: the end of the JVM cancels the run, and waits until
 * the guard is closed, which the owner does when everything is saved. A shutdown hook and no signal
 * handler, so that it also works inside Maven's JVM and when the process is told to terminate.
 */
final class ShutdownGuard implements AutoCloseable {
  private final Cancellation cancellation = new Cancellation();
  private final CountDownLatch done = new CountDownLatch(1);
  private final Thread worker = Thread.currentThread();
  private final Thread hook;
  private boolean training;

  /** Watches the calling thread from now on; says in {@code notes} that it will stop. */
  ShutdownGuard(PrintWriter notes) {
    hook =
        new Thread(
            () -> {
              stop(notes);
              try {
                done.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            },
            "spatz-shutdown");
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /** Reading texts may take long, and leaves nothing to save: the thread is interrupted there. */
  private synchronized void stop(PrintWriter notes) {
    notes.println();
    notes.println(training ? "stopping after this step, then saving ..." : "stopping ...");
    notes.flush();
    cancellation.cancel();
    if (!training) {
      worker.interrupt();
    }
  }

  /** From now on there is something to save, and the thread is never interrupted. */
  synchronized void trainingBegins() {
    training = true;
  }

  /** What the end of the JVM cancels. */
  Cancellation cancellation() {
    return cancellation;
  }

  @Override
  public void close() {
    done.countDown();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      return; // the JVM is ending, and the hook is done
    }
  }
}
