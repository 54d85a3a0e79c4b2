package dev.spatz.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class HelperThreadTest {
  /** Pieces of work, of which each that is done releases a permit. */
  private static final class Pieces implements HelperThread.Work {
    final AtomicInteger left = new AtomicInteger();
    final Semaphore done = new Semaphore(0);
    volatile String by = "";
    volatile boolean daemon;

    @Override
    public boolean some() {
      if (left.get() == 0) {
        return false;
      }
      left.decrementAndGet();
      by = Thread.currentThread().getName();
      daemon = Thread.currentThread().isDaemon();
      done.release();
      return true;
    }

    @Override
    public boolean waits() {
      return left.get() > 0;
    }
  }

  @Test
  void work_isDone_whetherTheHelperSpinsOrIsParked() throws InterruptedException {
    Pieces pieces = new Pieces();
    try (HelperThread helper = HelperThread.start("helper-of-a-test", pieces)) {
      for (int i = 0; i < 2_000; i++) {
        for (int spins = 0; spins < i % 5 * 3_000; spins++) {
          Thread.onSpinWait(); // so that it is met spinning, about to park, and parked
        }
        pieces.left.set(1 + i % 3);
        helper.wake();
        pieces.done.acquire(1 + i % 3);
      }
    }
    assertEquals(0, pieces.left.get());
    assertEquals("helper-of-a-test", pieces.by);
    assertTrue(pieces.daemon);
  }

  @Test
  void close_waitsForWhatIsDoneNow_andMayBeRepeated_andKeepsTheInterrupt()
      throws InterruptedException {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    AtomicInteger ended = new AtomicInteger();
    HelperThread helper =
        HelperThread.start(
            "helper-of-a-test",
            new HelperThread.Work() {
              @Override
              public boolean some() {
                begun.countDown();
                try {
                  goOn.await();
                } catch (InterruptedException e) {
                  throw new IllegalStateException(e);
                }
                ended.set(1);
                return false;
              }

              @Override
              public boolean waits() {
                return false;
              }
            });
    begun.await();
    Thread closing =
        new Thread(
            () -> {
              Thread.currentThread().interrupt();
              helper.close();
              ended.compareAndSet(1, Thread.interrupted() ? 2 : 3);
            });
    closing.start();
    goOn.countDown();
    closing.join();
    helper.close();
    assertEquals(2, ended.get());
  }
}
