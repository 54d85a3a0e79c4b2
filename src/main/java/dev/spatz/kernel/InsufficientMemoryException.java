package dev.spatz.kernel;

/**
 * There is not enough memory off the heap. Thrown before anything is allocated; the message says
 * what it was for, how much was needed, how much there is, and which settings change that.
 */
public final class InsufficientMemoryException extends IllegalStateException {
  private static final long serialVersionUID = 1;

  private final long needed;
  private final long available;

  InsufficientMemoryException(String message, long needed, long available) {
    super(message);
    this.needed = needed;
    this.available = available;
  }

  /** Bytes that were needed. */
  public long needed() {
    return needed;
  }

  /** Bytes that there were. */
  public long available() {
    return available;
  }
}
