package dev.spatz.transformer;

import dev.spatz.kernel.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The keys and values of one sequence's tokens so far. Memory is taken as they come, in blocks of
 * {@value #BLOCK} positions. It is used by one thread at a time and closed by its owner, before the
 * model is.
 */
public final class KeyValueCache implements AutoCloseable {
  /** Positions of a block. */
  public static final int BLOCK = 64;

  /** Of each layer, as the kernels take them (G,P/{@value #BLOCK},D,{@value #BLOCK}). */
  final List<INDArray> keys = new ArrayList<>();

  /** Of each layer (G,P,D). */
  final List<INDArray> values = new ArrayList<>();

  /** What keys and values are views of, by layer: each group's blocks (G,P/{@value #BLOCK},b). */
  private final List<INDArray> storedKeys = new ArrayList<>();

  private final List<INDArray> storedValues = new ArrayList<>();
  private final TransformerConfig config;
  private final DataType type;
  private final int contextLength;
  private final int expected;
  private int length;
  private volatile int capacity; // read by others than the thread that works with it
  private volatile boolean closed;
  private @Nullable InferenceAdapter adapter;

  /** For at most {@code expected} tokens, as far as is known; up to the context can come. */
  KeyValueCache(TransformerConfig config, DataType type, int expected) {
    this.config = config;
    this.type = type;
    this.contextLength = config.contextLength();
    this.expected = expected;
  }

  /** Bytes of a cache for so many tokens. */
  static long bytes(TransformerConfig config, DataType type, int tokens) {
    return 2L * config.layers() * type.width() * whole(config, tokens) * width(config);
  }

  private static long width(TransformerConfig config) {
    return (long) config.keyValueHeads() * config.headSize();
  }

  /** Positions of whole blocks for so many tokens, but of no more than the context needs. */
  private static int whole(TransformerConfig config, int tokens) {
    int most = Math.min(config.contextLength(), tokens);
    return Math.toIntExact((most + BLOCK - 1L) / BLOCK * BLOCK);
  }

  /** Takes memory for so many more tokens: twice as much each time, but not beyond what is due. */
  void reserve(int tokens) {
    int needed = length + tokens;
    if (needed > capacity) {
      int twice = (int) Math.min(2L * capacity, expected);
      int larger = whole(config, Math.max(needed, twice));
      for (int layer = 0; layer < config.layers(); layer++) {
        grow(storedKeys, layer, larger / BLOCK);
        grow(storedValues, layer, larger / BLOCK);
      }
      capacity = larger;
      view();
    }
  }

  private void grow(List<INDArray> arrays, int layer, int blocks) {
    long block = (long) BLOCK * config.headSize();
    INDArray array = Tensors.zeros(type, config.keyValueHeads(), blocks, block);
    if (capacity == 0) {
      arrays.add(array);
      return;
    }
    INDArray old = arrays.get(layer);
    for (int group = 0; group < config.keyValueHeads(); group++) {
      Tensors.copy(old.slice(group), Tensors.rows(array.slice(group), 0, capacity / BLOCK));
    }
    arrays.set(layer, array);
    old.close();
  }

  private void view() {
    int groups = config.keyValueHeads();
    int size = config.headSize();
    keys.clear();
    values.clear();
    storedKeys.forEach(all -> keys.add(all.reshape('c', groups, capacity / BLOCK, size, BLOCK)));
    storedValues.forEach(all -> values.add(all.reshape('c', groups, capacity, size)));
  }

  /**
   * Copies a whole block of tokens, for {@link #append}.
   *
   * @param index of the block, from 0
   * @return what the caller closes
   * @throws IllegalArgumentException if there are not so many tokens yet
   */
  public KeyValueBlock block(int index) {
    if (index < 0 || (index + 1) * BLOCK > length) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "block (%d) is not among the %,d tokens", index, length));
    }
    KeyValueBlock block = new KeyValueBlock(type, config);
    eachPart(block, index, (own, stored) -> Tensors.copy(own, stored));
    return block;
  }

  /**
   * Takes the next tokens as another sequence has stored them: one that began with the same tokens.
   *
   * @throws IllegalStateException if the tokens so far are not whole blocks
   * @throws IllegalArgumentException if there is no room
   */
  public void append(KeyValueBlock block) {
    requireRoom(BLOCK);
    if (length % BLOCK != 0) {
      throw new IllegalStateException(
          String.format(Locale.ROOT, "a block does not fit after %,d tokens", length));
    }
    reserve(BLOCK);
    eachPart(block, length / BLOCK, (own, stored) -> Tensors.copy(stored, own));
    length += BLOCK;
  }

  private interface Copying {
    void copy(INDArray own, INDArray stored);
  }

  private void eachPart(KeyValueBlock block, int index, Copying copying) {
    int part = 0;
    for (int layer = 0; layer < config.layers(); layer++) {
      for (INDArray array : List.of(storedKeys.get(layer), storedValues.get(layer))) {
        for (int group = 0; group < config.keyValueHeads(); group++) {
          copying.copy(Tensors.rows(array.slice(group), index, index + 1), block.part(part++));
        }
      }
    }
  }

  /** Bytes off the heap, as any thread may ask. */
  public long bytes() {
    return closed ? 0 : bytes(config, type, capacity);
  }

  /** Bytes off the heap of a {@link #block}. */
  public long blockBytes() {
    return bytes(config, type, BLOCK);
  }

  /**
   * Has the sequence decoded with adapters from now on, which stay open as long as it is used.
   *
   * @throws IllegalStateException if it has tokens already: their keys and values are without
   */
  public void adapt(InferenceAdapter value) {
    if (length > 0) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT, "an adapter comes before the first token, not after %,d", length));
    }
    adapter = value;
  }

  /** The adapters that the sequence is decoded with, or null. */
  @Nullable InferenceAdapter adapter() {
    return adapter;
  }

  /** The same as they were packed; none for the model as it is. */
  public List<WeightedAdapter> adapters() {
    return adapter == null ? List.of() : adapter.adapters();
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
      storedKeys.forEach(INDArray::close);
      storedValues.forEach(INDArray::close);
    }
  }
}
