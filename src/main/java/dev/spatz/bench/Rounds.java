package dev.spatz.bench;

import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Times tasks that run at once, one on each thread. */
final class Rounds {
  private static final double NANOS = 1e9;

  private Rounds() {}

  /** The seconds of each measured round: from the start of all tasks to the end of the last one. */
  static double[] seconds(List<Runnable> tasks, Repetitions repetitions)
      throws InterruptedException {
    List<Callable<Object>> round = tasks.stream().map(Executors::callable).toList();
    ExecutorService threads = Executors.newFixedThreadPool(round.size());
    try {
      double[] seconds = new double[repetitions.measured()];
      for (int i = -repetitions.warmUp(); i < seconds.length; i++) {
        long start = System.nanoTime();
        List<Future<Object>> done = threads.invokeAll(round);
        if (i >= 0) {
          seconds[i] = since(start);
        }
        for (Future<Object> task : done) {
          rethrowFailure(task);
        }
      }
      return seconds;
    } finally {
      threads.shutdown();
    }
  }

  private static void rethrowFailure(Future<Object> task) throws InterruptedException {
    try {
      task.get();
    } catch (ExecutionException e) {
      throw new IllegalStateException("a measured task failed", e.getCause());
    }
  }

  /** Seconds since a {@link System#nanoTime}. */
  static double since(long start) {
    return (System.nanoTime() - start) / NANOS;
  }
}
