package dev.spatz.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.factory.Nd4j;

class NativeMemoryTest {
  private static final long MIB = 1 << 20;
  private static final MemoryLimit SMALL =
      new MemoryLimit("a limit", 132 * MIB, needed -> "raise it for " + needed);
  private static final MemoryLimit LARGE = new MemoryLimit("another", 1 << 30, needed -> "");

  @TempDir Path root;

  @Test
  void whatExceedsTheSmallestLimit_isRefusedWithFiguresAndRemedies() {
    NativeMemory.require(100 * MIB, "the weights", "less", List.of(LARGE, SMALL));
    InsufficientMemoryException e =
        assertThrows(
            InsufficientMemoryException.class,
            () ->
                NativeMemory.require(
                    101 * MIB, "the weights", "take a smaller model", List.of(LARGE, SMALL)));
    assertEquals(
        "not enough memory off the heap for the weights: 101.0 MiB are needed, and 100.0 MiB are"
            + " left of a limit; raise it for 105906176, or take a smaller model",
        e.getMessage());
    assertEquals(101 * MIB, e.needed());
    assertEquals(100 * MIB, e.available());
  }

  @Test
  void moreThanAnyMachineHas_isRefused_andALittleIsNot() {
    assertThrows(
        InsufficientMemoryException.class, () -> NativeMemory.require(1L << 50, "tests", "less"));
    assertTrue(NativeMemory.has(1));
    NativeMemory.require(1, "tests", "less");
  }

  @Test
  void limitOfJavaCpp_namesItsPropertyAndAValueThatIsEnough() {
    MemoryLimit limit = MemoryLimit.javaCpp(256 * MIB, 200 * MIB);
    assertEquals(56 * MIB, limit.available());
    assertEquals(
        "raise it with -Dorg.bytedeco.javacpp.maxPhysicalBytes=364m or a larger -Xmx",
        limit.remedy().apply(100 * MIB));
    assertEquals(0, MemoryLimit.javaCpp(256 * MIB, 300 * MIB).available());
  }

  private void write(String file, String content) throws IOException {
    Path path = root.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, content);
  }

  private List<MemoryLimit> read() {
    return new LinuxMemory(root).read();
  }

  @Test
  void machineWithoutControlGroups_hasItsMemory() throws IOException {
    write("proc/meminfo", "MemTotal:       2048 kB\nMemFree: 1 kB\nMemAvailable:   1024 kB\n");
    List<MemoryLimit> limits = read();
    assertEquals(1, limits.size());
    assertEquals(MIB, limits.get(0).available());
    assertEquals("the machine's memory of 2.0 MiB", limits.get(0).name());
  }

  @Test
  void controlGroupsOfVersion2_boundUpToTheRoot() throws IOException {
    write("proc/self/cgroup", "0::/a/b\n");
    write("sys/fs/cgroup/a/b/memory.max", "max\n");
    write("sys/fs/cgroup/a/b/memory.current", "5\n");
    write("sys/fs/cgroup/a/memory.max", "1000\n");
    write("sys/fs/cgroup/a/memory.current", "900\n");
    write("sys/fs/cgroup/a/memory.stat", "anon 700\ninactive_file 150\n");
    List<MemoryLimit> limits = read();
    assertEquals(1, limits.size());
    assertEquals(250, limits.get(0).available(), "the page cache can be taken back");
    assertTrue(limits.get(0).remedy().apply(1).contains("memory.max"));
  }

  @Test
  void controlGroupsOfVersion1_bound() throws IOException {
    write("proc/self/cgroup", "4:cpu,memory:/c\n3:cpuset:/\n0::/\n");
    write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    write("sys/fs/cgroup/memory/memory.usage_in_bytes", "1\n");
    write("sys/fs/cgroup/memory/c/memory.limit_in_bytes", "1000\n");
    write("sys/fs/cgroup/memory/c/memory.usage_in_bytes", "1200\n");
    write("sys/fs/cgroup/memory/c/memory.stat", "inactive_file 1\ntotal_inactive_file 30\n");
    List<MemoryLimit> limits = read();
    assertEquals(1, limits.size());
    assertEquals(0, limits.get(0).available());
  }

  @Test
  void pathOfTheHost_inAContainerWithItsOwnRoot_boundsToo() throws IOException {
    write("proc/self/cgroup", "0::/docker/0123\n");
    write("sys/fs/cgroup/memory.max", "1000\n");
    write("sys/fs/cgroup/memory.current", "100\n");
    assertEquals(900, read().get(0).available());
  }

  @Test
  void unreadableFiles_boundNothing() throws IOException {
    write("proc/self/cgroup", "nonsense\n0::\n1:memory\n0::/../../etc\n");
    write("proc/meminfo", "MemAvailable: many\nMemTotal: 1 kB");
    assertEquals(List.of(), read());
  }

  /**
   * Checks ND4J's count, which has the arrays of all tests: again where it fails, since those that
   * others left to the collector may be freed meanwhile.
   */
  private static void checkCount(Runnable check) {
    for (int tries = 1; tries < 20; tries++) {
      try {
        check.run();
        return;
      } catch (AssertionError e) {
        System.gc();
      }
    }
    check.run();
  }

  @Test
  void buffers_areAligned_andCountedByNd4j() {
    checkCount(
        () -> {
          long before = Nd4j.getEnvironment().getDeviceCouner(0);
          NativeBuffer buffer = new NativeBuffer(1000);
          assertEquals(0, buffer.address() % 64);
          assertEquals(1000, buffer.capacity());
          assertEquals(buffer.bytes(), Nd4j.getEnvironment().getDeviceCouner(0) - before);
          buffer.close();
          buffer.close();
          assertEquals(before, Nd4j.getEnvironment().getDeviceCouner(0));
          assertThrows(IllegalStateException.class, buffer::address);
        });
  }

  @Test
  void scratch_countsWhatItHas() {
    checkCount(
        () -> {
          long before = Nd4j.getEnvironment().getDeviceCouner(0);
          try (NativeScratch scratch = new NativeScratch(2)) {
            scratch.floats(0, 100);
            scratch.floats(1, 10);
            long address = scratch.floats(0, 1000);
            assertEquals(address, scratch.floats(0, 5), "what is large enough stays");
            assertEquals(1000 * 4 + 10 * 4 + 2 * 64, scratch.bytes());
            assertEquals(scratch.bytes(), Nd4j.getEnvironment().getDeviceCouner(0) - before);
          }
          assertEquals(before, Nd4j.getEnvironment().getDeviceCouner(0));
        });
  }

  @Test
  void format_isShort() {
    assertEquals("0 bytes", NativeMemory.format(0));
    assertEquals("1023 bytes", NativeMemory.format(1023));
    assertEquals("1.0 KiB", NativeMemory.format(1024));
    assertEquals("2.5 GiB", NativeMemory.format(5L << 29));
    assertEquals("2048.0 TiB", NativeMemory.format(1L << 51));
  }
}
