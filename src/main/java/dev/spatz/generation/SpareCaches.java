package dev.spatz.generation;

import dev.spatz.transformer.KeyValueCache;
import dev.spatz.transformer.Transformer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;

/**
 * Keys and values of texts that have ended, whose memory the next texts take over. New memory is
 * slow at first: on Linux it comes page by page, and with 8 texts of 200 tokens at once, a model of
 * 10.7 M parameters spent a tenth of its time on that. For one thread.
 */
final class SpareCaches implements AutoCloseable {
  private final Transformer transformer;
  private final Deque<KeyValueCache> spare = new ArrayDeque<>(); // the last one used first
  private long bytes;

  SpareCaches(Transformer transformer) {
    this.transformer = transformer;
  }

  /** An empty cache for at most so many tokens, for the caller to give back or close. */
  KeyValueCache take(int mostTokens) {
    for (Iterator<KeyValueCache> each = spare.iterator(); each.hasNext(); ) {
      KeyValueCache cache = each.next();
      if (cache.restart(mostTokens)) {
        each.remove();
        bytes -= cache.allBytes();
        return cache;
      }
    }
    return transformer.cache(mostTokens);
  }

  void give(KeyValueCache cache) {
    spare.addFirst(cache);
    bytes += cache.allBytes();
  }

  /** Frees what exceeds so many bytes, the caches used longest ago first. */
  void shrink(long mostBytes) {
    while (!spare.isEmpty() && bytes > mostBytes) {
      KeyValueCache oldest = spare.removeLast();
      bytes -= oldest.allBytes();
      oldest.close();
    }
  }

  /** Bytes off the heap. */
  long bytes() {
    return bytes;
  }

  @Override
  public void close() {
    spare.forEach(KeyValueCache::close);
    spare.clear();
    bytes = 0;
  }
}
