package dev.spatz.kernel;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Bytes off the heap at an address that 64 divides; at first they are what was there before. The
 * memory is an array's, so that ND4J's count has all of ours; its owner closes it.
 */
final class NativeBuffer implements AutoCloseable {
  /** A line of the cache, and a vector of the widest registers. */
  static final int ALIGNMENT = 64;

  private final INDArray memory;

  /** Room for so many bytes. */
  NativeBuffer(long count) {
    memory = Nd4j.createUninitialized(DataType.INT8, count + ALIGNMENT);
  }

  /** The next multiple of what addresses of buffers are multiples of. */
  static long aligned(long offset) {
    return (offset + ALIGNMENT - 1) & -ALIGNMENT;
  }

  /**
   * Where it begins.
   *
   * @throws IllegalStateException if it is closed
   */
  long address() {
    if (memory.wasClosed()) {
      throw new IllegalStateException("the memory is closed");
    }
    return aligned(Tensors.address(memory));
  }

  /** How many bytes there is room for. */
  long capacity() {
    return memory.length() - ALIGNMENT;
  }

  /** Bytes that it takes. */
  long bytes() {
    return memory.length();
  }

  /** Frees it; closing twice is fine. */
  @Override
  public void close() {
    if (!memory.wasClosed()) {
      memory.close();
    }
  }
}
