package dev.spatz.kernel;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.LongFunction;
import org.bytedeco.javacpp.Pointer;

/**
 * Something that bounds the memory off the heap.
 *
 * @param name of the limit, with its size
 * @param available bytes that may still be taken
 * @param remedy what raises the limit, for so many bytes that are needed
 */
record MemoryLimit(String name, long available, LongFunction<String> remedy) {
  private static final String PROPERTY = "org.bytedeco.javacpp.maxPhysicalBytes";
  private static final long MIB = 1 << 20;

  /** What a process needs beside what is asked for. */
  private static final long ROOM = 64 * MIB;

  /** The limits of this process. */
  static List<MemoryLimit> all() {
    List<MemoryLimit> limits = new ArrayList<>(LinuxMemory.limits());
    long most = Pointer.maxPhysicalBytes();
    if (most > 0) {
      limits.add(javaCpp(most, Pointer.physicalBytes()));
    }
    return limits;
  }

  /** JavaCPP refuses memory to a process that has more than this, its heap counted too. */
  static MemoryLimit javaCpp(long most, long physical) {
    return new MemoryLimit(
        String.format(
            Locale.ROOT,
            "JavaCPP's limit of %s for the process (%s, 4 times -Xmx unless it is set)",
            NativeMemory.format(most),
            PROPERTY),
        Math.max(0, most - physical),
        needed ->
            String.format(
                Locale.ROOT,
                "raise it with -D%s=%dm or a larger -Xmx",
                PROPERTY,
                (physical + needed + ROOM) / MIB));
  }
}
