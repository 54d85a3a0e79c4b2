package dev.spatz.transformer;

import dev.spatz.kernel.Tensors;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A copy of the keys and values of {@value KeyValueCache#BLOCK} tokens at the beginning of a
 * sequence or after other such blocks. Made by {@link KeyValueCache#block}, closed by its owner.
 */
public final class KeyValueBlock implements AutoCloseable {
  /** Layer by layer and head by head the keys, then the values (L·G·2·D·positions). */
  private final INDArray all;

  private final long partLength;

  KeyValueBlock(DataType type, TransformerConfig config) {
    partLength = (long) KeyValueCache.BLOCK * config.headSize();
    all = Tensors.uninitialized(type, 2L * config.layers() * config.keyValueHeads() * partLength);
  }

  /** Takes a head's part from where it is in a cache. */
  void take(int part, INDArray source, long from) {
    Tensors.copy(source, from, all, part * partLength, partLength);
  }

  /** Gives a head's part to where it goes in a cache. */
  void give(int part, INDArray target, long to) {
    Tensors.copy(all, part * partLength, target, to, partLength);
  }

  /** Bytes off the heap. */
  public long bytes() {
    return all.length() * all.dataType().width();
  }

  /** Frees the memory; closing twice is fine. */
  @Override
  public void close() {
    if (!all.wasClosed()) {
      all.close();
    }
  }
}
