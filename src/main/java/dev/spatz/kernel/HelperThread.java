package dev.spatz.kernel;

import java.util.concurrent.locks.LockSupport;

/**
 * A daemon thread that does the work there is for it. Without any it spins for a moment, as more
 * mostly comes soon, then parks until it is woken.
 */
public final class HelperThread implements AutoCloseable {
  private static final int SPINS = 4_000;

  private final Work work;
  private final Thread thread;
  private volatile boolean parked;
  private volatile boolean closed;

  /** What a helper does. */
  public interface Work {
    /** Does some of the work; false if there was none. It throws nothing. */
    boolean some();

    /** Whether there is work. */
    boolean waits();
  }

  private HelperThread(String name, Work work) {
    this.work = work;
    this.thread = new Thread(this::run, name);
    thread.setDaemon(true);
  }

  /** A new helper, which runs; the caller closes it. */
  public static HelperThread start(String name, Work work) {
    HelperThread helper = new HelperThread(name, work);
    helper.thread.start();
    return helper;
  }

  private void run() {
    int idle = 0;
    while (!closed) {
      if (work.some()) {
        idle = 0;
      } else if (idle++ < SPINS) {
        Thread.onSpinWait();
      } else {
        parked = true;
        if (!closed && !work.waits()) {
          LockSupport.park(this);
        }
        parked = false;
        idle = 0;
      }
    }
  }

  /** To be called when there is new work. */
  public void wake() {
    if (parked) {
      LockSupport.unpark(thread);
    }
  }

  /** Ends the thread after what it does now, and waits for that; closing twice is fine. */
  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
