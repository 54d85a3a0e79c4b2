package dev.spatz;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToLongFunction;
import org.bytedeco.javacpp.Pointer;

/** The memory of this JVM over the course of some work. */
final class MemoryCurve {
  private static final int MOST_POINTS = 200;
  private static final int LEAST_WORK_A_POINT = 10;
  private static final long MIB = 1 << 20;

  private final long every;
  private final List<Point> points = new ArrayList<>();
  private long nanos = System.nanoTime();

  /**
   * A moment.
   *
   * @param done units of work
   * @param heap bytes of what is in use after garbage collection
   * @param offHeap bytes that ND4J and JavaCPP have allocated, by their own counts
   * @param physical bytes of the process, as JavaCPP counts them
   * @param threads of the JVM
   */
  private record Point(
      long done, double seconds, long heap, long offHeap, long physical, int threads) {}

  /** A curve over {@code work} units of work. */
  MemoryCurve(long work) {
    every = Math.max(LEAST_WORK_A_POINT, work / MOST_POINTS);
  }

  /** To be called after each unit of work; measures from time to time. */
  void done(long units) {
    if (units % every != 0) {
      return;
    }
    for (int i = 0; i < 2; i++) {
      System.gc(); // JavaCPP frees what the first one found on a thread of its own
    }
    points.add(
        new Point(
            units,
            (System.nanoTime() - nanos) / 1e9,
            ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed(),
            FreshJvm.offHeap(),
            Pointer.physicalBytes(),
            Thread.activeCount()));
  }

  /** Writes the curve as comma-separated values. */
  void write(Path file) throws IOException {
    List<String> lines = new ArrayList<>();
    lines.add("done,seconds,heap,off_heap,physical,threads");
    for (Point p : points) {
      lines.add(
          String.format(
              Locale.ROOT,
              "%d,%.1f,%d,%d,%d,%d",
              p.done,
              p.seconds,
              p.heap,
              p.offHeap,
              p.physical,
              p.threads));
    }
    Files.createDirectories(file.toAbsolutePath().getParent());
    Files.write(file, lines);
  }

  /** Refuses a curve whose last fifth is higher than what came after the first one. */
  void assertFlat() {
    assertFlat("heap", 3 * MIB, Point::heap);
    assertFlat("off the heap", MIB / 4, Point::offHeap);
    if (points.size() >= MOST_POINTS) { // the process grows until the JIT compiler is done
      assertFlat("physical memory", 48 * MIB, Point::physical);
    }
  }

  private void assertFlat(String name, long slack, ToLongFunction<Point> bytes) {
    int fifth = points.size() / 5;
    long early = median(points.subList(fifth, 2 * fifth), bytes);
    long late = median(points.subList(4 * fifth, points.size()), bytes);
    assertTrue(
        late - early <= slack,
        () -> String.format(Locale.ROOT, "%s: %,d bytes early, %,d late", name, early, late));
  }

  private static long median(List<Point> some, ToLongFunction<Point> bytes) {
    long[] sorted = some.stream().mapToLong(bytes).sorted().toArray();
    return sorted[sorted.length / 2];
  }
}
