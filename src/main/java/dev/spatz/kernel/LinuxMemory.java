package dev.spatz.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * The memory of a Linux machine, and of the container that the process is in: what its control
 * groups (version 1 or 2) may take, as far as that can be read. Elsewhere nothing is known.
 */
final class LinuxMemory {
  private static final long KIB = 1024;

  private final Path root;

  /** Reads {@code proc} and {@code sys} below a directory. */
  LinuxMemory(Path root) {
    this.root = root;
  }

  /** The limits of this machine and process. */
  static List<MemoryLimit> limits() {
    return new LinuxMemory(Path.of("/")).read();
  }

  List<MemoryLimit> read() {
    List<MemoryLimit> limits = new ArrayList<>();
    OptionalLong free = number(root.resolve("proc/meminfo"), "MemAvailable:");
    OptionalLong all = number(root.resolve("proc/meminfo"), "MemTotal:");
    if (free.isPresent() && all.isPresent()) {
      limits.add(
          new MemoryLimit(
              "the machine's memory of " + NativeMemory.format(KIB * all.getAsLong()),
              KIB * free.getAsLong(),
              needed -> "end other programs or take a larger machine"));
    }
    for (String line : lines(root.resolve("proc/self/cgroup"))) {
      String[] parts = line.split(":/", 2); // number and controllers, path
      String[] hierarchy = parts[0].split(":", 2);
      if (parts.length < 2 || hierarchy.length < 2) {
        continue;
      }
      if (hierarchy[0].equals("0")) {
        addGroups(limits, "sys/fs/cgroup", parts[1], "memory.max", "memory.current", "");
      } else if (List.of(hierarchy[1].split(",")).contains("memory")) {
        addGroups(
            limits,
            "sys/fs/cgroup/memory",
            parts[1],
            "memory.limit_in_bytes",
            "memory.usage_in_bytes",
            "total_");
      }
    }
    return limits;
  }

  /** A group and all above it; in a container the path may be the host's, and the root is ours. */
  private void addGroups(
      List<MemoryLimit> limits,
      String mount,
      String path,
      String limitFile,
      String usageFile,
      String prefix) {
    Path top = root.resolve(mount);
    Path group = top.resolve(path).normalize();
    while (group.startsWith(top)) {
      OptionalLong limit = number(group.resolve(limitFile), "");
      OptionalLong usage = number(group.resolve(usageFile), "");
      if (limit.isPresent() && usage.isPresent() && limit.getAsLong() < Long.MAX_VALUE / 2) {
        long cache = number(group.resolve("memory.stat"), prefix + "inactive_file ").orElse(0);
        limits.add(
            new MemoryLimit(
                "the container's memory of " + NativeMemory.format(limit.getAsLong()),
                Math.max(0, limit.getAsLong() - usage.getAsLong() + cache),
                needed -> "give the container more (" + limitFile + " of its control group)"));
      }
      group = group.getParent();
    }
  }

  /** The number after a prefix of a line; none where there is no such line or it is no number. */
  private static OptionalLong number(Path file, String prefix) {
    for (String line : lines(file)) {
      if (line.startsWith(prefix)) {
        String digits = line.substring(prefix.length()).replace("kB", "").strip();
        return digits.matches("\\d{1,18}")
            ? OptionalLong.of(Long.parseLong(digits))
            : OptionalLong.empty();
      }
    }
    return OptionalLong.empty();
  }

  private static List<String> lines(Path file) {
    try {
      return Files.isReadable(file) ? Files.readAllLines(file) : List.of();
    } catch (IOException e) {
      return List.of(); // nothing is known then
    }
  }
}
