package dev.spatz.kernel;

/**
 * The weights (O,I) of a linear map in the layout in which decoding reads them, in slices of
 * outputs: how many depends on the shape alone, so a result does not depend on who computes which
 * slice. Made by {@link Kernels#pack}, read by any number of threads at once through kernels of the
 * same kind, and closed by its owner.
 */
public interface PackedWeights extends AutoCloseable {
  /** The number of slices, at least 1. */
  int slices();

  /** Bytes off the heap, those of int8 scales not among them. */
  long bytes();

  /** Frees the memory; closing twice is fine. */
  @Override
  void close();
}
