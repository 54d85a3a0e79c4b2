package dev.spatz.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * How fast the machine reads memory: every thread adds up the numbers of a buffer of its own, all
 * at the same time, and together they are much larger than the caches.
 */
final class ReadBenchmark {
  private static final long BYTES = 512L << 20;
  private static final Repetitions REPETITIONS = new Repetitions(5, 25);

  private ReadBenchmark() {}

  /**
   * What came out.
   *
   * @param bytesPerSecond of all threads together, in the best round
   */
  record Result(Measurement measurement, double bytesPerSecond) {}

  static Result run(int threads) throws InterruptedException {
    return run(threads, BYTES, REPETITIONS);
  }

  static Result run(int threads, long bytes, Repetitions repetitions) throws InterruptedException {
    Repetitions.requirePositive("threads", threads);
    List<Buffer> buffers = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      buffers.add(new Buffer(Math.toIntExact(bytes / Long.BYTES / threads)));
    }
    double[] seconds = Rounds.seconds(List.copyOf(buffers), repetitions);
    long read = buffers.stream().mapToLong(Buffer::bytes).sum();
    double best = read / Measurement.least(seconds);
    Measurement measurement =
        Measurement.of(
            "read",
            Measurement.format("sum over %,d MiB, %s", read >> 20, Measurement.threads(threads)),
            "round",
            seconds,
            Measurement.format(
                "%,8.1f GB/s, best %,.1f", read / Measurement.median(seconds) / 1e9, best / 1e9));
    return new Result(measurement, best);
  }

  /** One thread's memory. It is written once, so that each of its pages is really there. */
  static final class Buffer implements Runnable {
    /** So many independent sums that memory, not addition, is what a processor waits for. */
    private static final int SUMS = 8;

    private final long[] values;
    private long sum;

    Buffer(int length) {
      values = new long[Math.max(1, length / SUMS) * SUMS];
      Arrays.fill(values, 1);
    }

    long bytes() {
      return (long) values.length * Long.BYTES;
    }

    long sum() {
      return sum;
    }

    @Override
    public void run() {
      long[] v = values;
      long a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
      for (int i = 0; i < v.length; i += SUMS) {
        a += v[i];
        b += v[i + 1];
        c += v[i + 2];
        d += v[i + 3];
        e += v[i + 4];
        f += v[i + 5];
        g += v[i + 6];
        h += v[i + 7];
      }
      sum = a + b + c + d + e + f + g + h;
    }
  }
}
