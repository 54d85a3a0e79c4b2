package dev.spatz.transformer;

import dev.spatz.kernel.Tensors;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A copy of the keys and values of {@value KeyValueCache#BLOCK} tokens at the beginning of a
 * sequence or after other such blocks. Made by {@link KeyValueCache#block}, closed by its owner.
 */
public final class KeyValueBlock implements AutoCloseable {
  /** Layer by layer the keys' heads, then the values' (2·L·G,1,positions·D). */
  private final INDArray all;

  KeyValueBlock(DataType type, TransformerConfig config) {
    long parts = 2L * config.layers() * config.keyValueHeads();
    all = Tensors.zeros(type, parts, 1, (long) KeyValueCache.BLOCK * config.headSize());
  }

  INDArray part(int index) {
    return all.slice(index);
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
