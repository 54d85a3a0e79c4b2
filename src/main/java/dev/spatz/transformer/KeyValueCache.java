package dev.spatz.transformer;

import dev.spatz.kernel.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The keys and values of one sequence's tokens so far, with room for the whole context. It is used
 * by one thread at a time and closed by its owner, before the model is.
 */
public final class KeyValueCache implements AutoCloseable {
  final List<INDArray> keys = new ArrayList<>();
  final List<INDArray> values = new ArrayList<>();
  private final int contextLength;
  private int length;
  private boolean closed;

  KeyValueCache(TransformerConfig config, DataType type) {
    this.contextLength = config.contextLength();
    for (int layer = 0; layer < config.layers(); layer++) {
      keys.add(zeros(config, type));
      values.add(zeros(config, type));
    }
  }

  private static INDArray zeros(TransformerConfig config, DataType type) {
    return Tensors.zeros(type, config.keyValueHeads(), config.contextLength(), config.headSize());
  }

  /** The number of tokens so far. */
  public int length() {
    return length;
  }

  /** How many more tokens fit into the context. */
  public int room() {
    return contextLength - length;
  }

  /**
   * Forgets all tokens from {@code newLength} on.
   *
   * @throws IllegalArgumentException if it is negative or beyond the length
   */
  public void truncate(int newLength) {
    if (newLength < 0 || newLength > length) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "length (%d) must be from 0 to the tokens so far (%d)",
              newLength,
              length));
    }
    length = newLength;
  }

  /** Counts tokens whose keys and values are stored now. */
  void extend(int tokens) {
    length += tokens;
  }

  void requireRoom(int tokens) {
    if (closed) {
      throw new IllegalStateException("the sequence is closed");
    }
    if (tokens > room()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%,d tokens after %,d exceed the contextLength (%,d)",
              tokens,
              length,
              contextLength));
    }
  }

  /** Frees the memory; closing twice is fine. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      keys.forEach(INDArray::close);
      values.forEach(INDArray::close);
    }
  }
}
