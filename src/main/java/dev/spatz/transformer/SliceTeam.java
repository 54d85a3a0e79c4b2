package dev.spatz.transformer;

import dev.spatz.kernel.HelperThread;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.PackedWeights;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Daemon threads that help a caller with the parts of a job: slices of a linear map, or the
 * attention of several sequences. Whoever is free claims the next part; the caller computes what
 * nobody claims, and waits for nothing but parts that a helper has begun. If such a wait is long,
 * since other programs keep the processors busy, it does without help until it has not been
 * interrupted itself for a while; and for longer if the next long wait comes soon. The helpers
 * serve one caller at a time; others do without.
 */
final class SliceTeam implements AutoCloseable {
  private static final int SPINS_BEFORE_YIELD = 2_000;

  /** Of a map of few slices: few calls, and yet something for whoever is free first. */
  private static final int PARTS_OF_A_THREAD = 2;

  /** So many parts are small enough for one call of a thread that is alone. */
  private static final int FEW_PARTS = 8;

  /** A call mostly takes less than a millisecond: a thread that needs so long is not running. */
  private static final long LONG_NANOS = 1_000_000;

  /** … if that is not usual: no call takes this many times as long as others do on average. */
  private static final int UNUSUAL = 8;

  private static final int AVERAGED = 16;

  private static final long LEAST_ALONE_NANOS = 5_000_000;
  private static final long MOST_ALONE_NANOS = 80_000_000;
  private static final long SOON_NANOS = 25_000_000;

  /**
   * Long, since help that does not come costs more than help that is missed: with 2 endless loops
   * beside it on 2 cores of Zen 5, a model of 0.8 M parameters decoded 9,600 tokens a second so,
   * 5,500 with a fifteenth of this time; alone on the machine 16,800 both ways.
   */
  private static final long UNINTERRUPTED_NANOS = 300_000_000;

  private final AtomicBoolean taken = new AtomicBoolean();

  /**
   * Number of the job (32 bits), then the end and the beginning of its parts that are free (16 bits
   * each). The caller takes from the beginning, the helpers from the end: so a part is mostly done
   * by the same thread, pass after pass, whose cache may still have its weights.
   */
  private final AtomicLong ticket = new AtomicLong();

  private static final int END = 16;
  private static final long MASK = 0xFFFF;

  private final AtomicInteger finished = new AtomicInteger();
  private final List<Helper> helpers = new ArrayList<>();
  private volatile @Nullable Throwable failure;

  /** Written before its ticket, and not again before all its parts are finished. */
  private @Nullable Job job;

  /** Used by the caller that has taken the helpers. */
  private boolean alone;

  private long aloneNanos = LEAST_ALONE_NANOS;
  private long aloneUntil = System.nanoTime();
  private long averageNanos;

  /** A team of so many threads, the caller among them. */
  SliceTeam(int threads, KernelBackend backend) {
    for (int i = 1; i < threads; i++) {
      helpers.add(new Helper(backend.create(), i));
    }
  }

  /** Work in parts that may be done in any order, by any thread with its own kernels. */
  interface Job {
    void run(Kernels kernels, int part);

    /** All parts, for a thread without help. */
    default void runAll(Kernels kernels, int parts) {
      for (int part = 0; part < parts; part++) {
        run(kernels, part);
      }
    }
  }

  /**
   * A linear map, of which each part is some of the slices, and a single thread does all at once.
   */
  private record Linear(
      INDArray x,
      PackedWeights weight,
      int parts,
      @Nullable INDArray bias,
      @Nullable INDArray residual,
      INDArray y)
      implements Job {
    @Override
    public void run(Kernels kernels, int part) {
      int from = part * weight.slices() / parts;
      int to = (part + 1) * weight.slices() / parts;
      kernels.linear(x, weight, from, to - from, bias, residual, y);
    }

    @Override
    public void runAll(Kernels kernels, int all) {
      kernels.linear(x, weight, bias, residual, y);
    }
  }

  /**
   * All slices of {@link Kernels#linear(INDArray, PackedWeights, int, int, INDArray, INDArray,
   * INDArray)}.
   */
  void linear(
      Kernels kernels,
      INDArray x,
      PackedWeights weight,
      @Nullable INDArray bias,
      @Nullable INDArray residual,
      INDArray y) {
    int slices = weight.slices();
    int parts = slices > FEW_PARTS ? slices : Math.min(slices, PARTS_OF_A_THREAD * threads());
    run(kernels, parts, new Linear(x, weight, parts, bias, residual, y));
  }

  /** Does parts 0…{@code parts − 1} of a job. */
  void run(Kernels kernels, int parts, Job work) {
    boolean shared = parts > 1 && !helpers.isEmpty() && taken.compareAndSet(false, true);
    try {
      if (shared && !isAlone()) {
        job = work;
        share(kernels, parts);
        return;
      }
      if (shared) {
        runAlone(kernels, parts, work);
        return;
      }
      work.runAll(kernels, parts);
    } finally {
      if (shared) {
        taken.set(false);
      }
    }
  }

  private boolean isAlone() {
    alone = alone && System.nanoTime() - aloneUntil < 0;
    return alone;
  }

  private void runAlone(Kernels kernels, int parts, Job work) {
    if (parts <= FEW_PARTS) {
      long start = System.nanoTime();
      work.runAll(kernels, parts);
      noteAlone(start);
      return;
    }
    for (int part = 0; part < parts; part++) {
      long start = System.nanoTime();
      work.run(kernels, part);
      noteAlone(start);
    }
  }

  /** Goes on without help for longer if this thread was interrupted: so would the helpers be. */
  private void noteAlone(long start) {
    long now = System.nanoTime();
    long nanos = now - start;
    if (nanos > LONG_NANOS && nanos > UNUSUAL * averageNanos) {
      aloneUntil = now + Math.max(UNINTERRUPTED_NANOS, aloneUntil - now);
    }
    averageNanos += (nanos - averageNanos) / AVERAGED;
  }

  private void share(Kernels kernels, int slices) {
    long start = System.nanoTime();
    finished.set(0);
    ticket.set(((ticket.get() >>> 32) + 1) << 32 | (long) slices << END);
    helpers.forEach(helper -> helper.thread.wake());
    try {
      while (claim(kernels, true)) {}
    } finally {
      await(slices, start); // also after a failure: the arrays must not be freed under a helper
    }
    Throwable thrown = failure;
    if (thrown != null) {
      failure = null;
      if (thrown instanceof Error error) {
        throw error;
      }
      throw (RuntimeException) thrown;
    }
  }

  private void await(int slices, long begun) {
    if (finished.get() >= slices) {
      return;
    }
    long start = System.nanoTime();
    for (int spins = 0; finished.get() < slices; spins++) {
      if (spins < SPINS_BEFORE_YIELD) {
        Thread.onSpinWait();
      } else {
        Thread.yield();
      }
    }
    long now = System.nanoTime();
    if (now - start > LONG_NANOS && now - start > start - begun) {
      boolean soon = now - aloneUntil < SOON_NANOS;
      aloneNanos = soon ? Math.min(MOST_ALONE_NANOS, 2 * aloneNanos) : LEAST_ALONE_NANOS;
      aloneUntil = now + aloneNanos;
      alone = true;
    }
  }

  /** Computes the first or the last part that is free; false if there is none. */
  private boolean claim(Kernels kernels, boolean first) {
    long now = ticket.get();
    if (isEmpty(now)) {
      return false;
    }
    if (ticket.compareAndSet(now, first ? now + 1 : now - (1L << END))) {
      int part = (int) (first ? now & MASK : (now >>> END & MASK) - 1);
      try {
        Objects.requireNonNull(job).run(kernels, part);
      } catch (RuntimeException | Error e) {
        failure = e;
      } finally {
        finished.incrementAndGet();
      }
    }
    return true;
  }

  private static boolean isEmpty(long ticket) {
    return (ticket & MASK) >= (ticket >>> END & MASK);
  }

  /** A thread and the kernels it works with. */
  private final class Helper implements HelperThread.Work, AutoCloseable {
    final Kernels kernels;
    final HelperThread thread;

    Helper(Kernels kernels, int number) {
      this.kernels = kernels;
      this.thread = HelperThread.start("spatz-slices-" + number, this);
    }

    @Override
    public boolean some() {
      return claim(kernels, false);
    }

    @Override
    public boolean waits() {
      return !isEmpty(ticket.get());
    }

    @Override
    public void close() {
      thread.close();
      kernels.close();
    }
  }

  /** The caller's thread and the helpers. */
  int threads() {
    return 1 + helpers.size();
  }

  /** Bytes off the heap that the helpers work in. */
  long bytes() {
    return helpers.stream().mapToLong(helper -> helper.kernels.bytes()).sum();
  }

  /** Ends the threads, when no caller is left; closing twice is fine. */
  @Override
  public void close() {
    helpers.forEach(Helper::close);
  }
}
