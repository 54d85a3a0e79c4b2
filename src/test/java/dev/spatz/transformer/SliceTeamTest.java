package dev.spatz.transformer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Parts of jobs among threads: each done once, failures with the caller, nobody waits in vain. */
@Timeout(60)
class SliceTeamTest {
  private static final int JOBS = 500;

  private final KernelBackend backend = KernelBackend.ND4J;
  private final Kernels kernels = backend.create();

  @AfterEach
  void close() {
    kernels.close();
  }

  @ParameterizedTest
  @CsvSource({"1,1", "1,7", "2,1", "2,2", "2,40", "4,3", "4,40"})
  void eachPart_isDoneOnce(int threads, int parts) {
    try (SliceTeam team = new SliceTeam(threads, backend)) {
      for (int job = 0; job < JOBS; job++) {
        AtomicIntegerArray done = new AtomicIntegerArray(parts);
        team.run(kernels, parts, (using, part) -> done.incrementAndGet(part));
        assertArrayEquals(ones(parts), values(done), "job " + job);
      }
    }
  }

  private static int[] ones(int count) {
    int[] ones = new int[count];
    Arrays.fill(ones, 1);
    return ones;
  }

  private static int[] values(AtomicIntegerArray array) {
    int[] values = new int[array.length()];
    Arrays.setAll(values, array::get);
    return values;
  }

  /** Both parts meet in the middle, which one thread alone could not. */
  @Test
  void helpers_workAtTheSameTimeWithKernelsOfTheirOwn() {
    try (SliceTeam team = new SliceTeam(2, backend)) {
      CountDownLatch bothBegun = new CountDownLatch(2);
      Set<Kernels> used =
          Collections.synchronizedSet(Collections.newSetFromMap(new IdentityHashMap<>()));
      team.run(
          kernels,
          2,
          (using, part) -> {
            used.add(using);
            bothBegun.countDown();
            await(bothBegun);
          });
      assertEquals(2, used.size());
      assertTrue(used.contains(kernels));
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void withoutHelpers_theCallerDoesAllInOneGo() {
    try (SliceTeam team = new SliceTeam(1, backend)) {
      int[] asked = {0};
      SliceTeam.Job job =
          new SliceTeam.Job() {
            @Override
            public void run(Kernels using, int part) {
              throw new AssertionError("a part by itself");
            }

            @Override
            public void runAll(Kernels using, int parts) {
              assertSame(kernels, using);
              asked[0] += parts;
            }
          };
      team.run(kernels, 9, job);
      assertEquals(9, asked[0]);
    }
  }

  /** The helpers are held up by the part of another caller's job. */
  @Test
  void secondCaller_doesWithoutHelpers() throws InterruptedException {
    try (SliceTeam team = new SliceTeam(2, backend)) {
      CountDownLatch begun = new CountDownLatch(2);
      CountDownLatch goOn = new CountDownLatch(1);
      Thread first =
          new Thread(
              () -> {
                try (Kernels own = backend.create()) {
                  team.run(
                      own,
                      2,
                      (using, part) -> {
                        begun.countDown();
                        await(goOn);
                      });
                }
              });
      first.start();
      try {
        begun.await();
        AtomicIntegerArray done = new AtomicIntegerArray(5);
        team.run(
            kernels,
            5,
            (using, part) -> {
              assertSame(kernels, using);
              done.incrementAndGet(part);
            });
        assertArrayEquals(ones(5), values(done));
      } finally {
        goOn.countDown(); // or closing the team would wait for the helper
        first.join();
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1", "2", "4"})
  void failureOfAnyPart_reachesTheCaller_andTheNextJobRuns(int threads) {
    try (SliceTeam team = new SliceTeam(threads, backend)) {
      for (int job = 0; job < JOBS; job++) {
        int failing = job % 6;
        IllegalStateException thrown =
            assertThrows(
                IllegalStateException.class,
                () ->
                    team.run(
                        kernels,
                        6,
                        (using, part) -> {
                          if (part == failing) {
                            throw new IllegalStateException("part " + part);
                          }
                        }));
        assertEquals("part " + failing, thrown.getMessage());
        AtomicIntegerArray done = new AtomicIntegerArray(6);
        team.run(kernels, 6, (using, part) -> done.incrementAndGet(part));
        assertArrayEquals(ones(6), values(done));
      }
    }
  }

  @Test
  void close_endsTheThreads_andAnInterruptStaysSet() {
    Set<Thread> before = threads();
    SliceTeam team = new SliceTeam(3, backend);
    Set<Thread> own = threads();
    own.removeAll(before);
    assertEquals(3, team.threads());
    assertEquals(2, own.size());
    Thread.currentThread().interrupt();
    team.close();
    assertTrue(Thread.interrupted());
    assertFalse(own.stream().anyMatch(Thread::isAlive));
    team.close();
  }

  private static Set<Thread> threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("spatz-slices-"))
        .collect(Collectors.toSet());
  }
}
