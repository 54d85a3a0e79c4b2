package dev.spatz.kernel;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/**
 * Decides whether there is enough memory off the heap, before it is allocated: within JavaCPP's
 * limit, which a small heap makes small, within the machine's memory, and within that of the
 * container. Whoever is about to allocate much asks here.
 */
public final class NativeMemory {
  /** What comes beside: code of primitives, threads, the garbage collector. */
  private static final long MARGIN = 32 << 20;

  /** Less than this is not asked for: reading the limits costs more. */
  private static final long LITTLE = 1 << 20;

  private static final String[] UNITS = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  private static final int UNIT = 1024;

  private NativeMemory() {}

  /**
   * Makes sure that there is enough.
   *
   * @param bytes that are about to be allocated; less than 1 MiB is granted unseen
   * @param purpose what for, such as {@code the weights}
   * @param remedy which setting needs less, such as {@code lower batchSize (64)}
   * @throws InsufficientMemoryException if there is not
   */
  public static void require(long bytes, String purpose, String remedy) {
    if (bytes >= LITTLE) {
      require(bytes, purpose, remedy, MemoryLimit.all());
    }
  }

  /** Makes sure that there is enough within these limits. */
  static void require(long bytes, String purpose, String remedy, List<MemoryLimit> limits) {
    limits.stream()
        .min(Comparator.comparingLong(MemoryLimit::available))
        .filter(limit -> limit.available() - MARGIN < bytes)
        .ifPresent(
            limit -> {
              long available = Math.max(0, limit.available() - MARGIN);
              String message =
                  String.format(
                      Locale.ROOT,
                      "not enough memory off the heap for %s: %s are needed, and %s are left of %s;"
                          + " %s, or %s",
                      purpose,
                      format(bytes),
                      format(available),
                      limit.name(),
                      limit.remedy().apply(bytes),
                      remedy);
              throw new InsufficientMemoryException(message, bytes, available);
            });
  }

  /** Whether there is enough for what can be done without. */
  public static boolean has(long bytes) {
    return bytes < LITTLE
        || MemoryLimit.all().stream().allMatch(limit -> limit.available() - MARGIN >= bytes);
  }

  /** A number of bytes for people, such as {@code 1.5 GiB}. */
  public static String format(long bytes) {
    double value = bytes;
    int unit = 0;
    while (value >= UNIT && unit < UNITS.length - 1) {
      value /= UNIT;
      unit++;
    }
    return String.format(Locale.ROOT, unit == 0 ? "%.0f %s" : "%.1f %s", value, UNITS[unit]);
  }
}
