package dev.spatz.transformer;

import dev.spatz.kernel.TensorArena;
import dev.spatz.kernel.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The keys and values of one sequence's tokens so far, in blocks of {@value #BLOCK} positions. Room
 * for all tokens is taken at the first one; what no block has come to yet is only asked for, and
 * takes no memory of a machine that gives pages when they are touched. It is used by one thread at
 * a time and closed by its owner, before the model is.
 */
public final class KeyValueCache implements AutoCloseable {
  /** Positions of a block. */
  public static final int BLOCK = 64;

  private final TensorArena memory = new TensorArena();

  /** Of each layer, as the kernels take them (P/{@value #BLOCK},G,D,{@value #BLOCK}). */
  final List<INDArray> keys = new ArrayList<>();

  /** Of each layer (G,P,D). */
  final List<INDArray> values = new ArrayList<>();

  private final TransformerConfig config;
  private final DataType type;
  private final int capacity;
  private int mostTokens;
  private int length;
  private int begun; // positions of the blocks in use
  private volatile int touched; // the most that were; others than the working thread read it
  private volatile boolean closed;
  private @Nullable InferenceAdapter adapter;

  /** For at most so many tokens, and no more than the context has. */
  KeyValueCache(TransformerConfig config, DataType type, int mostTokens) {
    this.config = config;
    this.type = type;
    this.capacity = capacity(config, mostTokens);
    this.mostTokens = Math.min(config.contextLength(), mostTokens);
  }

  /**
   * Becomes the empty cache of another sequence, of at most so many tokens.
   *
   * @return false, and nothing changes, if that is due memory of another size
   */
  public boolean restart(int tokens) {
    if (capacity(config, tokens) != capacity) {
      return false;
    }
    mostTokens = Math.min(config.contextLength(), tokens);
    length = 0;
    begun = 0;
    adapter = null;
    return true;
  }

  /** Whole blocks, of few different numbers: each makes products of other strides. */
  private static int capacity(TransformerConfig config, int tokens) {
    int blocks = whole(config, tokens) / BLOCK;
    long powerOfTwo = Integer.highestOneBit(2 * blocks - 1);
    return (int) Math.min(powerOfTwo * BLOCK, whole(config, Integer.MAX_VALUE));
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

  /** Makes the blocks of so many more tokens ready. */
  void reserve(int tokens) {
    int needed = whole(config, length + tokens);
    if (needed <= begun) {
      return;
    }
    long groups = config.keyValueHeads();
    long size = config.headSize();
    while (values.size() < config.layers()) { // goes on where it failed for want of memory
      if (keys.size() == values.size()) {
        keys.add(memory.uninitialized(type, capacity / BLOCK, groups, size, BLOCK));
      }
      values.add(memory.uninitialized(type, groups, capacity, size));
    }
    for (int layer = 0; layer < config.layers(); layer++) {
      Tensors.zero(keys.get(layer), begun * groups * size, needed * groups * size);
      for (long group = 0; group < groups; group++) {
        long first = group * capacity;
        Tensors.zero(values.get(layer), (first + begun) * size, (first + needed) * size);
      }
    }
    begun = needed;
    touched = Math.max(touched, begun);
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
    eachPart(index, (own, from, part) -> block.take(part, own, from));
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
    eachPart(length / BLOCK, (own, to, part) -> block.give(part, own, to));
    length += BLOCK;
  }

  /** Where a part of a block is: one layer's keys or values, of one group of heads. */
  private interface Part {
    void accept(INDArray own, long from, int number);
  }

  private void eachPart(int index, Part part) {
    long size = config.headSize();
    long groups = config.keyValueHeads();
    int number = 0;
    for (int layer = 0; layer < config.layers(); layer++) {
      for (long group = 0; group < groups; group++) {
        part.accept(keys.get(layer), (index * groups + group) * BLOCK * size, number++);
        part.accept(values.get(layer), (group * capacity + (long) index * BLOCK) * size, number++);
      }
    }
  }

  /** Bytes off the heap of the blocks that were in use, as any thread may ask. */
  public long bytes() {
    return closed ? 0 : bytes(config, type, touched);
  }

  /** Bytes off the heap that were asked for, for blocks to come as well. */
  public long allBytes() {
    return keys.isEmpty() || closed ? 0 : bytes(config, type, capacity);
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

  /** How many more tokens there is room for. */
  public int room() {
    return mostTokens - length;
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
              "%,d tokens after %,d exceed the %s (%,d)",
              tokens,
              length,
              mostTokens < config.contextLength() ? "sequence's room" : "contextLength",
              mostTokens));
    }
  }

  /** Frees the memory; closing twice is fine. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      memory.close();
    }
  }
}
