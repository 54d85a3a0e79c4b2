package dev.spatz.generation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.transformer.Decoder;
import dev.spatz.transformer.KeyValueCache;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.TransformerConfig;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

class SpareCachesTest {
  private final Transformer model =
      Transformer.initialized(TransformerConfig.gpt2(5, 300, 1, 1, 8), DataType.FLOAT, 1);
  private final Kernels kernels = KernelBackend.choose().create();
  private final Decoder decoder = model.decoder();
  private final SpareCaches spares = new SpareCaches(model);

  @AfterEach
  void close() {
    spares.close();
    decoder.close();
    kernels.close();
    model.close();
  }

  /** A cache with a token, so that it has memory. */
  private KeyValueCache used(int mostTokens) {
    KeyValueCache cache = spares.take(mostTokens);
    decoder.accept(kernels, cache, 1);
    return cache;
  }

  @Test
  void take_findsTheSpareOneOfTheSize_empty() {
    KeyValueCache small = used(60);
    KeyValueCache large = used(200);
    spares.give(small);
    spares.give(large);
    assertEquals(small.allBytes() + large.allBytes(), spares.bytes());
    KeyValueCache again = spares.take(50);
    assertSame(small, again);
    assertEquals(0, again.length());
    assertEquals(50, again.room());
    assertEquals(large.allBytes(), spares.bytes());
    KeyValueCache other = spares.take(50);
    assertNotSame(small, other);
    other.close();
    again.close();
  }

  @Test
  void shrink_freesThoseUsedLongestAgo() {
    KeyValueCache first = used(100);
    KeyValueCache second = used(100);
    long each = first.allBytes();
    spares.give(first);
    spares.give(second);
    spares.shrink(2 * each);
    assertEquals(2 * each, spares.bytes());
    spares.shrink(each + 1);
    assertEquals(each, spares.bytes());
    assertEquals(0, first.allBytes());
    assertSame(second, spares.take(100));
    spares.shrink(0);
    assertEquals(each, second.allBytes());
    second.close();
  }

  @Test
  void close_freesAll() {
    KeyValueCache cache = used(100);
    spares.give(cache);
    spares.close();
    assertEquals(0, spares.bytes());
    assertEquals(0, cache.allBytes());
  }
}
