package dev.spatz.generation;

import dev.spatz.kernel.NativeMemory;
import dev.spatz.transformer.KeyValueBlock;
import dev.spatz.transformer.KeyValueCache;
import dev.spatz.transformer.WeightedAdapter;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;

/**
 * Keys and values of beginnings of texts, block by block, whether their tokens were read or
 * written: both leave the same bits. A block is found by the adapters and all tokens up to its end,
 * as its values depend on them. The block used longest ago goes first, and of those of one text the
 * last. For one thread.
 */
final class PrefixCache implements AutoCloseable {
  private static final int BLOCK = KeyValueCache.BLOCK;

  private final long mostBytes;
  private final Map<Beginning, KeyValueBlock> blocks = new LinkedHashMap<>(16, 0.75f, true);
  private volatile long bytes;

  /** The adapters, and the tokens up to the end of a block. */
  private record Beginning(List<WeightedAdapter> adapters, int[] ids) {
    static Beginning of(List<WeightedAdapter> adapters, int[] prompt, int block) {
      return new Beginning(adapters, Arrays.copyOf(prompt, (block + 1) * BLOCK));
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Beginning that
          && adapters.equals(that.adapters)
          && Arrays.equals(ids, that.ids);
    }

    @Override
    public int hashCode() {
      return 31 * adapters.hashCode() + Arrays.hashCode(ids);
    }
  }

  PrefixCache(long mostBytes) {
    this.mostBytes = mostBytes;
  }

  /** Appends to an empty cache the blocks that are known, but for the prompt's last token. */
  void begin(int[] prompt, KeyValueCache cache) {
    List<WeightedAdapter> adapters = cache.adapters();
    int known = 0;
    while ((known + 1) * BLOCK < prompt.length
        && blocks.containsKey(Beginning.of(adapters, prompt, known))) {
      known++;
    }
    touch(adapters, prompt, known).forEach(cache::append);
  }

  /**
   * Keeps the whole blocks of a text.
   *
   * @param ids of the text; what the cache has is among them
   * @param from the first token that is new
   */
  void keep(int[] ids, int from, KeyValueCache cache) {
    int whole = cache.length() / BLOCK;
    if (whole == from / BLOCK || mostBytes == 0) {
      return;
    }
    List<WeightedAdapter> adapters = cache.adapters();
    for (int block = from / BLOCK; block < whole; block++) {
      Beginning beginning = Beginning.of(adapters, ids, block);
      if (!blocks.containsKey(beginning) && NativeMemory.has(cache.blockBytes())) {
        KeyValueBlock copy = cache.block(block);
        blocks.put(beginning, copy);
        bytes += copy.bytes();
      }
    }
    touch(adapters, ids, whole);
    removeOldest();
  }

  /** The first blocks of a text, as far as they are here; the first becomes the last to go. */
  private List<KeyValueBlock> touch(List<WeightedAdapter> adapters, int[] ids, int count) {
    LinkedList<KeyValueBlock> found = new LinkedList<>();
    for (int block = count - 1; block >= 0; block--) {
      KeyValueBlock one = blocks.get(Beginning.of(adapters, ids, block));
      if (one != null) {
        found.addFirst(one);
      }
    }
    return found;
  }

  private void removeOldest() {
    Iterator<KeyValueBlock> oldest = blocks.values().iterator();
    while (bytes > mostBytes) {
      KeyValueBlock block = oldest.next();
      bytes -= block.bytes();
      block.close();
      oldest.remove();
    }
  }

  long bytes() {
    return bytes;
  }

  @Override
  public void close() {
    blocks.values().forEach(KeyValueBlock::close);
    blocks.clear();
    bytes = 0;
  }
}
