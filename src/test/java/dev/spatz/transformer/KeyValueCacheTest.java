package dev.spatz.transformer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.Tensors;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

class KeyValueCacheTest {
  private static final int VOCABULARY = 23;
  private static final TransformerConfig CONFIG = TransformerConfig.llama(VOCABULARY, 500, 2, 2, 8);

  private final Transformer model = TestModels.random(CONFIG, DataType.FLOAT, 1);
  private final Kernels kernels = KernelBackend.choose().create();
  private final Decoder decoder = model.decoder();

  @AfterEach
  void close() {
    decoder.close();
    kernels.close();
    model.close();
  }

  /** Whatever the sequence before has left, numbers that are not finite among it. */
  @Test
  void restartedCache_givesTheBitsOfANewOne() {
    for (KernelBackend backend : KernelBackend.values()) {
      try (Kernels each = backend.create();
          KeyValueCache fresh = model.cache(130);
          KeyValueCache used = model.cache(200)) {
        decoder.accept(each, used, TestModels.ids(200, VOCABULARY, 3));
        used.keys.forEach(keys -> Tensors.fill(keys, Double.NaN));
        used.values.forEach(values -> Tensors.fill(values, Double.POSITIVE_INFINITY));
        assertTrue(used.restart(130));
        assertEquals(0, used.length());
        assertEquals(130, used.room());
        assertArrayEquals(write(each, fresh), write(each, used));
        assertEquals(fresh.allBytes(), used.allBytes());
      }
    }
  }

  /** The logits after a text, which is partly read and partly written. */
  private float[] write(Kernels using, KeyValueCache cache) {
    int[] ids = TestModels.ids(130, VOCABULARY, 2);
    INDArray logits = decoder.accept(using, cache, Arrays.copyOf(ids, 3));
    for (int i = 3; i < ids.length; i++) {
      logits = decoder.accept(using, cache, ids[i]);
    }
    return Tensors.toFloats(logits);
  }

  @Test
  void restart_refusesMemoryOfAnotherSize() {
    try (KeyValueCache cache = model.cache(129)) {
      assertFalse(cache.restart(128));
      assertFalse(cache.restart(257));
      assertEquals(129, cache.room());
      assertTrue(cache.restart(256));
      assertEquals(256, cache.room());
    }
  }

  @Test
  void bytes_areThoseOfTheBlocksSoFar_andAllOnceThereIsAToken() {
    try (KeyValueCache cache = model.cache(400)) {
      assertEquals(0, cache.bytes());
      assertEquals(0, cache.allBytes());
      decoder.accept(kernels, cache, TestModels.ids(65, VOCABULARY, 2));
      assertEquals(model.cacheBytes(128), cache.bytes());
      assertEquals(model.cacheBytes(500), cache.allBytes());
      assertTrue(cache.restart(300));
      assertEquals(model.cacheBytes(128), cache.bytes());
    }
  }

  @Test
  void close_leavesNoBytes() {
    KeyValueCache cache = model.cache(400);
    decoder.accept(kernels, cache, 1);
    cache.close();
    assertEquals(0, cache.bytes());
    assertEquals(0, cache.allBytes());
  }

  @Test
  void accept_refusesMoreTokensThanTheCacheIsFor() {
    try (KeyValueCache cache = model.cache(70)) {
      decoder.accept(kernels, cache, TestModels.ids(69, VOCABULARY, 2));
      IllegalArgumentException refusal =
          assertThrows(IllegalArgumentException.class, () -> decoder.accept(kernels, cache, 1, 2));
      assertEquals("2 tokens after 69 exceed the sequence's room (70)", refusal.getMessage());
    }
  }
}
