package dev.spatz;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Locale;

/**
 * What everything that reads files or notations of others promises, whatever the input: it is read,
 * or refused by an {@link IOException} that names the file or an {@link IllegalArgumentException};
 * and neither time nor memory goes beyond what an input of that size may cost.
 */
public final class UntrustedInput {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private UntrustedInput() {}

  /** Something that reads what others wrote. */
  public interface Reader {
    /** A name that a directory may have too. */
    String name();

    /** Makes ready what lies beside the input; called once for a directory. */
    default void prepare(Path directory) throws IOException {}

    /**
     * Reads an input.
     *
     * @param directory for the input's file, and prepared
     */
    void read(Path directory, byte[] input) throws IOException;

    /** Whether it reads files, whose name is in every message, or strings. */
    default boolean namesFile() {
      return true;
    }

    /** The most bytes of heap that an input may cost, thrown away ones included. */
    default long mostBytes(int length) {
      return (4L << 20) + 1000L * length;
    }

    /** The most seconds of the processor that an input may cost. */
    default int mostSeconds() {
      return 5;
    }
  }

  /**
   * Has an input read, and holds the reader to its promise.
   *
   * @return whether the input was accepted
   * @throws AssertionError if the promise is broken
   */
  public static boolean isRead(Reader reader, Path directory, byte[] input) {
    Outcome first = measured(reader, directory, input);
    // The first input of all also loads classes.
    Outcome last = first.isModest(reader, input) ? first : measured(reader, directory, input);
    if (!last.isModest(reader, input)) {
      throw new AssertionError(
          String.format(
              Locale.ROOT,
              "%s: an input of %,d bytes costs %,d bytes of heap and %,d seconds",
              reader.name(),
              input.length,
              last.bytes,
              last.seconds));
    }
    return last.read;
  }

  /** What an input has cost. */
  private record Outcome(boolean read, long bytes, long seconds) {
    boolean isModest(Reader reader, byte[] input) {
      return bytes <= reader.mostBytes(input.length) && seconds <= reader.mostSeconds();
    }
  }

  private static Outcome measured(Reader reader, Path directory, byte[] input) {
    long id = Thread.currentThread().getId();
    long bytes = THREADS.getThreadAllocatedBytes(id);
    long nanoseconds = THREADS.getCurrentThreadCpuTime();
    boolean read = isReadOrRefused(reader, directory, input);
    return new Outcome(
        read,
        THREADS.getThreadAllocatedBytes(id) - bytes,
        (THREADS.getCurrentThreadCpuTime() - nanoseconds) / 1_000_000_000);
  }

  private static boolean isReadOrRefused(Reader reader, Path directory, byte[] input) {
    try {
      reader.read(directory, input);
      return true;
    } catch (IOException | UncheckedIOException e) {
      if (e.getMessage() == null || !e.getMessage().contains(directory.toString())) {
        throw new AssertionError(reader.name() + ": the message does not name the file", e);
      }
      return false;
    } catch (IllegalArgumentException e) {
      if (reader.namesFile() || e.getMessage() == null) {
        throw new AssertionError(reader.name() + ": a broken file is an IOException", e);
      }
      return false;
    } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
      throw new AssertionError(reader.name() + " fails in a way that is not documented", e);
    }
  }
}
