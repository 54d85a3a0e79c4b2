package dev.spatz.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The most memory that this process had resident so far, where the operating system tells. */
final class PeakMemory {
  /** Of Linux; see proc(5). */
  private static final Path STATUS = Path.of("/proc/self/status");

  private static final Pattern LINE = Pattern.compile("VmHWM:\\s*(\\d+) kB");

  private PeakMemory() {}

  /** For a line: {@code 1,234 MiB peak}, or that it is unknown. */
  static String figure() {
    OptionalLong kib;
    try {
      kib = Files.isReadable(STATUS) ? kib(Files.readAllLines(STATUS)) : OptionalLong.empty();
    } catch (IOException e) {
      kib = OptionalLong.empty();
    }
    return figure(kib);
  }

  static String figure(OptionalLong kib) {
    return kib.isPresent()
        ? Measurement.format("%,6d MiB peak", kib.getAsLong() / 1024)
        : "unknown peak memory";
  }

  static OptionalLong kib(List<String> status) {
    return status.stream()
        .map(LINE::matcher)
        .filter(Matcher::matches)
        .mapToLong(line -> Long.parseLong(line.group(1)))
        .findFirst();
  }
}
