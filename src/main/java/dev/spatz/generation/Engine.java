package dev.spatz.generation;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.Locale;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Writes the texts of all callers on one daemon thread, which reads the weights once for all of
 * them. Who comes later joins at the next step, if there is a place, or waits in turn. The thread
 * begins with the first text, and ends when there has been none for a while.
 */
final class Engine implements AutoCloseable {
  private static final long IDLE_MILLIS = 10_000;

  private final ModelParts model;
  private final PackedDecoders decoders;
  private final EngineConfig config;
  private final PrefixCache prefixes;
  private final Batch.Counters counters = new Batch.Counters();
  private final Deque<Session> waiting = new ArrayDeque<>();
  private int running;
  private @Nullable Thread thread;
  private boolean closed;

  Engine(ModelParts model, PackedDecoders decoders, EngineConfig config) {
    this.model = model;
    this.decoders = decoders;
    this.config = config;
    this.prefixes = new PrefixCache(config.prefixCacheBytes());
  }

  /**
   * Takes on a text.
   *
   * @throws IllegalArgumentException if it may need more memory than there is for all
   * @throws IllegalStateException if the model is closed
   * @throws RejectedExecutionException if too many wait
   */
  synchronized void submit(Session session) {
    requireOpen();
    if (session.mostBytes() > config.cacheBytes()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "a text of up to %,d tokens needs %,d bytes, more than cacheBytes (%,d); lower its"
                  + " maxNewTokens, or raise EngineConfig.cacheBytes",
              session.mostTokens(),
              session.mostBytes(),
              config.cacheBytes()));
    }
    if (waiting.size() + running >= (long) config.mostSequences() + config.mostWaiting()) {
      throw new RejectedExecutionException(
          String.format(
              Locale.ROOT,
              "%,d texts are being written and %,d wait; try later, or raise"
                  + " EngineConfig.mostWaiting (%,d)",
              running,
              waiting.size(),
              config.mostWaiting()));
    }
    waiting.add(session);
    if (thread == null) {
      thread = new Thread(this::run, "spatz-generation");
      thread.setDaemon(true);
      thread.start();
    }
    notifyAll();
  }

  /** Frees the place in the queue of a text that has ended. */
  synchronized void withdraw(Session session) {
    waiting.remove(session);
  }

  synchronized EngineStatistics statistics() {
    return new EngineStatistics(
        running,
        waiting.size(),
        counters.steps().get(),
        counters.promptTokens().get(),
        counters.cachedTokens().get(),
        counters.newTokens().get(),
        prefixes.bytes());
  }

  private void run() {
    try (Batch batch = new Batch(model, decoders, config, prefixes, counters)) {
      while (admit(batch)) {
        try {
          batch.step();
        } catch (RuntimeException | Error e) {
          batch.fail(e);
        }
      }
      batch.fail(refusal());
    } catch (RuntimeException | Error e) { // no memory for decoding
      failWaiting(e);
    }
  }

  /** Gives free places to those that wait; waits if nobody does. False: the thread ends. */
  private synchronized boolean admit(Batch batch) {
    batch.removeEnded();
    while (!closed) {
      while (!waiting.isEmpty() && (waiting.peek().endIfDue() || batch.fits(waiting.peek()))) {
        Session first = waiting.remove();
        if (!first.isOver()) {
          batch.add(first);
        }
      }
      for (Iterator<Session> rest = waiting.iterator(); rest.hasNext(); ) {
        if (rest.next().endIfDue()) {
          rest.remove();
        }
      }
      running = batch.size();
      if (running > 0) {
        return true;
      }
      if (!awaitText()) {
        break;
      }
    }
    running = 0;
    thread = closed ? thread : null;
    return false;
  }

  private boolean awaitText() {
    try {
      wait(IDLE_MILLIS);
    } catch (InterruptedException e) {
      return !waiting.isEmpty(); // nobody has cause to; the thread may end
    }
    return closed || !waiting.isEmpty();
  }

  private synchronized void failWaiting(Throwable cause) {
    running = 0;
    thread = closed ? thread : null;
    waiting.forEach(session -> session.fail(cause));
    waiting.clear();
  }

  private void requireOpen() {
    if (closed) {
      throw refusal();
    }
  }

  private static IllegalStateException refusal() {
    return new IllegalStateException("the model is closed");
  }

  /**
   * Ends all texts with an exception, after the step under way, and the thread; closing twice is
   * fine.
   *
   * @throws IllegalStateException if a logits processor calls it
   */
  @Override
  public void close() {
    Thread ending;
    synchronized (this) {
      ending = thread;
      if (ending == Thread.currentThread()) {
        throw new IllegalStateException("a logits processor cannot close the model");
      }
      closed = true;
      failWaiting(refusal());
      notifyAll();
    }
    boolean interrupted = false;
    while (ending != null && ending.isAlive()) {
      try {
        ending.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    prefixes.close();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
