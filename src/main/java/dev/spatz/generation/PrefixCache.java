package dev.spatz.generation;

import dev.spatz.kernel.NativeMemory;
import dev.spatz.transformer.KeyValueBlock;
import dev.spatz.transformer.KeyValueCache;
import dev.spatz.transformer.WeightedAdapter;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Keys and values of beginnings of prompts, block by block. A block is found by the adapters and
 * all tokens up to its end, as its values depend on them. The block used longest ago goes first.
 * For one thread.
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
    KeyValueBlock[] found = new KeyValueBlock[known];
    for (int block = known - 1; block >= 0; block--) { // the first becomes the last to go
      found[block] = blocks.get(Beginning.of(adapters, prompt, block));
    }
    for (KeyValueBlock block : found) {
      cache.append(block);
    }
  }

  /** Keeps the whole blocks of a prompt whose tokens {@code from} and later are new. */
  void keep(int[] prompt, int from, KeyValueCache cache) {
    List<WeightedAdapter> adapters = cache.adapters();
    for (int block = from / BLOCK; (block + 1) * BLOCK <= cache.length(); block++) {
      Beginning beginning = Beginning.of(adapters, prompt, block);
      if (mostBytes > 0 && !blocks.containsKey(beginning) && NativeMemory.has(cache.blockBytes())) {
        KeyValueBlock copy = cache.block(block);
        blocks.put(beginning, copy);
        bytes += copy.bytes();
      }
    }
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
