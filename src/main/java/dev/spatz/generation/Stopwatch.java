package dev.spatz.generation;

import java.time.Duration;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** The time that a text takes, by a clock that never goes back. */
final class Stopwatch {
  private final LongSupplier nanoTime;
  private final long start;
  private final @Nullable Duration most;
  private long first;
  private long last;
  private boolean drawn;

  Stopwatch(LongSupplier nanoTime, @Nullable Duration most) {
    this.nanoTime = nanoTime;
    this.most = most;
    this.start = nanoTime.getAsLong();
  }

  boolean isOver() {
    return most != null && elapsed().compareTo(most) >= 0;
  }

  void tokenDrawn() {
    last = nanoTime.getAsLong() - start;
    first = drawn ? first : last;
    drawn = true;
  }

  Duration toFirstToken() {
    return drawn ? Duration.ofNanos(first) : elapsed();
  }

  Duration toLastToken() {
    return drawn ? Duration.ofNanos(last) : elapsed();
  }

  double tokensPerSecond(int tokens) {
    return tokens < 2 || last == first ? 0 : (tokens - 1) * 1e9 / (last - first);
  }

  private Duration elapsed() {
    return Duration.ofNanos(nanoTime.getAsLong() - start);
  }
}
