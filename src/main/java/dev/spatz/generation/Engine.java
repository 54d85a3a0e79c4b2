package dev.spatz.generation;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Writes and reads the texts of all callers on one daemon thread, which reads the weights once for
 * all of them. Who comes later joins at the next step, if there is a place, or waits in turn. The
 * thread begins with the first text, and ends when there has been none for a while.
 *
 * <p>Its lock is held for moments only, and never while a job is waited for.
 */
final class Engine implements AutoCloseable {
  private static final long IDLE_MILLIS = 10_000;

  private final ModelParts model;
  private final PackedDecoders decoders;
  private final EngineConfig config;
  private final PrefixCache prefixes;
  private final EngineCounters counters = new EngineCounters();
  private final Deque<Job> waiting = new ArrayDeque<>();
  private final List<Job> running = new ArrayList<>();
  private @Nullable Thread thread;
  private boolean closed;

  Engine(ModelParts model, PackedDecoders decoders, EngineConfig config) {
    this.model = model;
    this.decoders = decoders;
    this.config = config;
    this.prefixes = new PrefixCache(config.prefixCacheBytes());
  }

  /**
   * Takes on a job.
   *
   * @throws IllegalArgumentException if it may need more memory than there is for all
   * @throws IllegalStateException if the model is closed, or a logits processor asks, whom the
   *     engine's thread would wait for
   * @throws RejectedExecutionException if too many wait
   */
  synchronized void submit(Job job) {
    if (closed) {
      throw refusal();
    }
    if (thread == Thread.currentThread()) {
      throw new IllegalStateException("a logits processor cannot ask its own model");
    }
    if (job.mostBytes() > config.cacheBytes()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "a text of up to %,d tokens needs %,d bytes, more than cacheBytes (%,d); shorten it"
                  + " (maxNewTokens counts), or raise EngineConfig.cacheBytes",
              job.mostTokens(),
              job.mostBytes(),
              config.cacheBytes()));
    }
    requirePlace();
    waiting.add(job);
    if (thread == null) {
      thread = new Thread(this::run, "spatz-generation");
      thread.setDaemon(true);
      thread.start();
    }
    notifyAll();
  }

  private void requirePlace() {
    long most = (long) config.mostSequences() + config.mostWaiting();
    if (waiting.size() + running.size() < most) {
      return;
    }
    running.removeIf(Job::isOver); // the engine's thread has not come to it yet
    if (waiting.size() + running.size() >= most) {
      throw new RejectedExecutionException(
          String.format(
              Locale.ROOT,
              "%,d texts are under way and %,d wait; try later, or raise"
                  + " EngineConfig.mostWaiting (%,d)",
              running.size(),
              waiting.size(),
              config.mostWaiting()));
    }
  }

  /** Frees the place in the queue of a job that has ended. */
  synchronized void withdraw(Job job) {
    waiting.remove(job);
  }

  synchronized EngineStatistics statistics() {
    return new EngineStatistics(
        running.size(),
        waiting.size(),
        counters.steps().get(),
        counters.promptTokens().get(),
        counters.cachedTokens().get(),
        counters.newTokens().get(),
        prefixes.bytes());
  }

  /** Bytes off the heap: of keys and values, of beginnings, and what the thread works in. */
  ModelMemory memory(long weights, long packedWeights, long workspaces) {
    return new ModelMemory(
        weights,
        packedWeights,
        counters.cacheBytes().get(),
        prefixes.bytes(),
        counters.workspaceBytes().get() + workspaces);
  }

  private void run() {
    try (Batch batch = new Batch(model, decoders, config, prefixes, counters)) {
      while (admit(batch)) {
        try {
          batch.step();
        } catch (RuntimeException | Error e) {
          takeRunning().forEach(job -> job.fail(e));
        }
      }
    } catch (RuntimeException | Error e) { // no memory for decoding
      takeAll().forEach(job -> job.fail(e));
    }
  }

  /** Gives free places to those that wait; waits if nobody does. False: the thread ends. */
  private synchronized boolean admit(Batch batch) {
    batch.removeEnded();
    running.removeIf(Job::isOver);
    while (!closed) {
      while (!waiting.isEmpty() && (waiting.peek().endIfDue() || batch.fits(waiting.peek()))) {
        Job first = waiting.remove();
        if (!first.isOver()) {
          batch.add(first);
          running.add(first);
        }
      }
      for (Iterator<Job> rest = waiting.iterator(); rest.hasNext(); ) {
        if (rest.next().endIfDue()) {
          rest.remove();
        }
      }
      if (batch.size() > 0) {
        return true;
      }
      if (!awaitJob()) {
        break;
      }
    }
    thread = closed ? thread : null;
    return false;
  }

  private boolean awaitJob() {
    try {
      wait(IDLE_MILLIS);
    } catch (InterruptedException e) {
      return !waiting.isEmpty(); // nobody has cause to; the thread may end
    }
    return closed || !waiting.isEmpty();
  }

  private synchronized List<Job> takeRunning() {
    List<Job> taken = List.copyOf(running);
    running.clear();
    return taken;
  }

  /** Those that wait first, since the others may be held up by a logits processor. */
  private synchronized List<Job> takeAll() {
    List<Job> taken = new ArrayList<>(waiting);
    waiting.clear();
    taken.addAll(takeRunning());
    thread = closed ? thread : null;
    return taken;
  }

  private static IllegalStateException refusal() {
    return new IllegalStateException("the model is closed");
  }

  /**
   * Ends all jobs with an exception, and the thread after the step under way; closing twice is
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
      notifyAll();
    }
    takeAll().forEach(job -> job.fail(refusal()));
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
