package dev.spatz.training;

import dev.spatz.dataset.Sequences;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.Workspace;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntToLongFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Daemon threads that share the tasks of a phase, each with its own kernels and memory. A phase
 * ends when all its tasks have ended: there is nothing else that one thread waits for another in.
 */
final class WorkerTeam implements AutoCloseable {
  private final List<Worker> workers = new ArrayList<>();
  private final ExecutorService threads;

  /** What one thread works with. */
  static final class Worker implements AutoCloseable {
    final Kernels kernels;
    private final Transformer transformer;
    private final Map<Integer, Pass> passes = new TreeMap<>();

    private Worker(Transformer transformer, Kernels kernels) {
      this.transformer = transformer;
      this.kernels = kernels;
    }

    /** Memory for a pass over so many sequences of the whole context, made at its first use. */
    Pass pass(int sequences) {
      return passes.computeIfAbsent(
          sequences,
          any -> new Pass(transformer.workspace(sequences, transformer.config().contextLength())));
    }

    @Override
    public void close() {
      passes.values().forEach(pass -> pass.workspace.close());
      passes.clear();
      kernels.close();
    }
  }

  /** Memory of a pass: ids, losses and activations. */
  static final class Pass {
    final Workspace workspace;
    final int[] inputs;
    final int[] targets;
    final double[] losses;

    private Pass(Workspace workspace) {
      this.workspace = workspace;
      this.inputs = new int[workspace.rows()];
      this.targets = new int[workspace.rows()];
      this.losses = new double[workspace.rows()];
    }

    /**
     * Lays out the rows as the first {@code count} sequences of a pass need it.
     *
     * @param number of the i-th of them
     */
    void layOut(Sequences sequences, int count, IntToLongFunction number) {
      if (!sequences.packed()) {
        return; // as every workspace is at first
      }
      int time = sequences.contextLength();
      IntStream lengths = IntStream.empty();
      for (int i = 0; i < inputs.length / time; i++) {
        IntStream more =
            i < count ? IntStream.of(sequences.lengths(number.applyAsLong(i))) : IntStream.of(time);
        lengths = IntStream.concat(lengths, more);
      }
      workspace.pack(lengths.toArray());
    }
  }

  /** A task; tasks of a phase may run in any order, on any worker. */
  interface Task {
    void run(Worker worker, int index);
  }

  WorkerTeam(int size, Transformer transformer, KernelBackend backend) {
    for (int i = 0; i < size; i++) {
      workers.add(new Worker(transformer, backend.create()));
    }
    AtomicInteger number = new AtomicInteger();
    this.threads =
        Executors.newFixedThreadPool(
            size,
            task -> {
              Thread thread = new Thread(task, "spatz-worker-" + number.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
  }

  int size() {
    return workers.size();
  }

  /** Bytes off the heap that the kernels of all threads work in. */
  long scratchBytes() {
    return workers.stream().mapToLong(worker -> worker.kernels.bytes()).sum();
  }

  /**
   * Runs tasks 0…count−1 and waits for them all, also when the calling thread is interrupted: the
   * memory they use must not be freed under them. The first exception of a task is thrown again.
   */
  void forEach(int count, Task task) {
    AtomicInteger next = new AtomicInteger();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    CountDownLatch done = new CountDownLatch(workers.size());
    for (Worker worker : workers) {
      threads.execute(
          () -> {
            try {
              for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
                task.run(worker, i);
              }
            } catch (RuntimeException | Error e) {
              failure.compareAndSet(null, e);
              next.set(count);
            } finally {
              done.countDown();
            }
          });
    }
    awaitUninterruptibly(done);
    rethrow(failure.get());
  }

  private static void awaitUninterruptibly(CountDownLatch latch) {
    boolean interrupted = false;
    while (true) {
      try {
        latch.await();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static void rethrow(@Nullable Throwable failure) {
    if (failure instanceof Error error) {
      throw error;
    }
    if (failure instanceof RuntimeException exception) {
      throw exception;
    }
  }

  @Override
  public void close() {
    threads.shutdown();
    workers.forEach(Worker::close);
  }
}
