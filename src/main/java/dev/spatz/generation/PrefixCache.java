package dev.spatz.generation;

import dev.spatz.kernel.NativeMemory;
import dev.spatz.transformer.KeyValueBlock;
import dev.spatz.transformer.KeyValueCache;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Keys and values of beginnings of prompts, block by block. A block is found by all tokens up to
 * its end, as its values depend on them. The block used longest ago goes first. For one thread.
 */
final class PrefixCache implements AutoCloseable {
  private static final int BLOCK = KeyValueCache.BLOCK;

  private final long mostBytes;
  private final Map<Beginning, KeyValueBlock> blocks = new LinkedHashMap<>(16, 0.75f, true);
  private volatile long bytes;

  /** The tokens up to the end of a block. */
  private record Beginning(int[] ids) {
    static Beginning of(int[] prompt, int block) {
      return new Beginning(Arrays.copyOf(prompt, (block + 1) * BLOCK));
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Beginning that && Arrays.equals(ids, that.ids);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(ids);
    }
  }

  PrefixCache(long mostBytes) {
    this.mostBytes = mostBytes;
  }

  /** Appends to an empty cache the blocks that are known, but for the prompt's last token. */
  void begin(int[] prompt, KeyValueCache cache) {
    int known = 0;
    while ((known + 1) * BLOCK < prompt.length && blocks.containsKey(Beginning.of(prompt, known))) {
      known++;
    }
    KeyValueBlock[] found = new KeyValueBlock[known];
    for (int block = known - 1; block >= 0; block--) { // the first becomes the last to go
      found[block] = blocks.get(Beginning.of(prompt, block));
    }
    for (KeyValueBlock block : found) {
      cache.append(block);
    }
  }

  /** Keeps the whole blocks of a prompt whose tokens {@code from} and later are new. */
  void keep(int[] prompt, int from, KeyValueCache cache) {
    for (int block = from / BLOCK; (block + 1) * BLOCK <= cache.length(); block++) {
      Beginning beginning = Beginning.of(prompt, block);
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
