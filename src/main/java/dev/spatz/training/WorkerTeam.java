package dev.spatz.training;

import dev.spatz.dataset.Sequences;
import dev.spatz.kernel.HelperThread;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.Workspace;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntToLongFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The calling thread and daemon threads beside it, which share the tasks of a phase, each with its
 * own kernels and memory. A phase ends when all its tasks have ended: there is nothing else that
 * one thread waits for another in. One caller at a time.
 *
 * <p>Who waits spins for a moment before it parks, since a phase of a step comes soon after the one
 * before: waking threads took 2 % of a step of 12 ms.
 */
final class WorkerTeam implements AutoCloseable {
  private static final int SPINS = 4_000;

  private final List<Worker> workers = new ArrayList<>();
  private final List<HelperThread> helpers = new ArrayList<>();
  private volatile @Nullable Phase current;

  /** What one thread works with. */
  static final class Worker implements AutoCloseable {
    final Kernels kernels;
    private final Transformer transformer;
    private final Map<Integer, Pass> passes = new TreeMap<>();

    private Worker(Transformer transformer, Kernels kernels) {
      this.transformer = transformer;
      this.kernels = kernels;
    }

    /** Memory for a pass over so many sequences of a data set, made at its first use. */
    Pass pass(Sequences sequences, int count) {
      int time = transformer.config().contextLength();
      int contexts = count * sequences.length() / time;
      return passes.computeIfAbsent(
          contexts, any -> new Pass(transformer.workspace(contexts, time), time));
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
    private final int time;
    private final long[] numbers;
    private int count;

    private Pass(Workspace workspace, int time) {
      this.workspace = workspace;
      this.inputs = new int[workspace.rows()];
      this.targets = new int[workspace.rows()];
      this.losses = new double[workspace.rows()];
      this.time = time;
      this.numbers = new long[workspace.rows() / time];
    }

    /** Samples sequences {@code all[from…from + howMany − 1]} to train on, which fill the pass. */
    void sample(Sequences sequences, long[] all, int from, int howMany) {
      System.arraycopy(all, from, numbers, 0, howMany);
      layOut(sequences, howMany);
      for (int i = 0; i < count; i++) {
        sequences.sample(numbers[i], inputs, targets, i * sequences.length());
      }
    }

    /** Reads sequences of the evaluation walk; what they do not fill has nothing to predict. */
    void read(Sequences sequences, int howMany, IntToLongFunction number) {
      for (int i = 0; i < howMany; i++) {
        numbers[i] = number.applyAsLong(i);
      }
      layOut(sequences, howMany);
      int filled = count * sequences.length();
      Arrays.fill(inputs, filled, inputs.length, 0);
      Arrays.fill(targets, filled, targets.length, Sequences.NO_TARGET);
      for (int i = 0; i < count; i++) {
        sequences.read(numbers[i], inputs, targets, i * sequences.length());
      }
    }

    private void layOut(Sequences sequences, int howMany) {
      count = howMany;
      if (!sequences.packed()) {
        return; // as every workspace is at first
      }
      IntStream lengths = IntStream.empty();
      for (int i = 0; i < count; i++) {
        lengths = IntStream.concat(lengths, IntStream.of(sequences.lengths(numbers[i])));
      }
      int unfilled = (inputs.length - count * sequences.length()) / time;
      IntStream rest = IntStream.generate(() -> time).limit(unfilled);
      workspace.pack(IntStream.concat(lengths, rest).toArray());
    }

    /** The number of sequences that are in the pass now. */
    int count() {
      return count;
    }

    /** The number of the i-th sequence that is in the pass now. */
    long number(int i) {
      return numbers[i];
    }
  }

  /** A task; tasks of a phase may run in any order, on any worker. */
  interface Task {
    void run(Worker worker, int index);
  }

  /** A team of so many threads, the caller among them. */
  WorkerTeam(int size, Transformer transformer, KernelBackend backend) {
    for (int i = 0; i < size; i++) {
      workers.add(new Worker(transformer, backend.create()));
    }
    for (int i = 1; i < size; i++) {
      helpers.add(HelperThread.start("spatz-worker-" + i, new Help(workers.get(i))));
    }
  }

  int size() {
    return workers.size();
  }

  /** Bytes off the heap that the kernels of all threads work in. */
  long scratchBytes() {
    return workers.stream().mapToLong(worker -> worker.kernels.bytes()).sum();
  }

  /** Tasks 0…count−1, of which each worker takes one after the other. */
  private static final class Phase {
    private final int count;
    private final Task task;
    private final Thread caller = Thread.currentThread();
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger helping;
    private final AtomicReference<Throwable> failure = new AtomicReference<>();

    Phase(int count, Task task, int helpers) {
      this.count = count;
      this.task = task;
      this.helping = new AtomicInteger(helpers);
    }

    void work(Worker worker) {
      try {
        for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
          task.run(worker, i);
        }
      } catch (RuntimeException | Error e) {
        failure.compareAndSet(null, e);
        next.set(count);
      }
    }

    void help(Worker worker) {
      work(worker);
      if (helping.decrementAndGet() == 0) {
        LockSupport.unpark(caller);
      }
    }

    /** Waits for the helpers, also when the calling thread is interrupted. */
    void await() {
      boolean interrupted = false;
      for (int spins = 0; helping.get() > 0; spins++) {
        if (spins < SPINS) {
          Thread.onSpinWait();
        } else {
          LockSupport.park(this);
          interrupted |= Thread.interrupted(); // or it would not park again
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Takes part in one phase after the other. */
  private final class Help implements HelperThread.Work {
    private final Worker worker;
    private @Nullable Phase last;

    Help(Worker worker) {
      this.worker = worker;
    }

    @Override
    public boolean some() {
      Phase phase = current;
      if (phase == null || phase == last) {
        return false;
      }
      phase.help(worker);
      last = phase;
      return true;
    }

    @Override
    public boolean waits() {
      return current != last;
    }
  }

  /**
   * Runs tasks 0…count−1 and waits for them all, also when the calling thread is interrupted: the
   * memory they use must not be freed under them. The first exception of a task is thrown again.
   */
  void forEach(int count, Task task) {
    Phase phase = new Phase(count, task, helpers.size());
    current = phase;
    helpers.forEach(HelperThread::wake);
    phase.work(workers.get(0));
    phase.await();
    rethrow(phase.failure.get());
  }

  private static void rethrow(@Nullable Throwable failure) {
    if (failure instanceof Error error) {
      throw error;
    }
    if (failure instanceof RuntimeException exception) {
      throw exception;
    }
  }

  /** Ends the threads, which have no task now. */
  @Override
  public void close() {
    helpers.forEach(HelperThread::close);
    workers.forEach(Worker::close);
  }
}
