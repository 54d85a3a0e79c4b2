package dev.spatz.transformer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.WeightPrecision;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;

/** What a steady-state decoding step allocates: nothing native, and little on the heap. */
class DecodingAllocationTest {
  private static final int STEPS = 1_000;

  /** A thread makes a product when it first meets its size, on a busy machine late. */
  private static final int MOST_ROUNDS = 20;

  private static final int CONTEXT = 128;
  private static final TransformerConfig CONFIG =
      TransformerConfig.llama(301, CONTEXT, 2, 4, 64).withKeyValueHeads(2);

  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  @ParameterizedTest
  @CsvSource({"FLOAT32,1", "FLOAT32,2", "FLOAT32,8", "BF16,1", "BF16,8", "INT8,1", "INT8,8"})
  void step_allocatesNothingNative_andLittleOnTheHeap(WeightPrecision precision, int sequences) {
    assumeTrue(KernelBackend.choose() == KernelBackend.ONEDNN, "the portable kernels allocate");
    TestModels.assumePossible(precision);
    try (Transformer model = TestModels.random(CONFIG, DataType.FLOAT, 1);
        InferenceWeights weights = model.inferenceWeights(KernelBackend.ONEDNN, 2, precision);
        Kernels kernels = KernelBackend.ONEDNN.create();
        Decoder decoder = model.decoder(weights)) {
      List<KeyValueCache> caches = new ArrayList<>();
      for (int i = 0; i < sequences; i++) {
        caches.add(model.cache());
      }
      try {
        steps(kernels, decoder, caches, 2 * CONTEXT); // every size of a product occurs
        long nativeBytes = 1;
        long arrays = 1;
        long perStep = 0;
        for (int round = 0; round < MOST_ROUNDS && (nativeBytes != 0 || arrays != 0); round++) {
          long native0 = Pointer.totalBytes();
          long arrays0 = Pointer.totalCount();
          long heap0 = allocated();
          steps(kernels, decoder, caches, STEPS);
          perStep = (allocated() - heap0) / STEPS;
          nativeBytes = Pointer.totalBytes() - native0;
          arrays = Pointer.totalCount() - arrays0;
        }
        assertEquals(0, nativeBytes, "native bytes");
        assertEquals(0, arrays, "native blocks");
        long heapBytes = perStep;
        assertTrue(heapBytes <= 4_096 + 1_024L * sequences, () -> heapBytes + " bytes a step");
      } finally {
        caches.forEach(KeyValueCache::close);
      }
    }
  }

  private static void steps(
      Kernels kernels, Decoder decoder, List<KeyValueCache> caches, int count) {
    int[] ids = new int[caches.size()];
    for (int i = 0; i < count; i++) {
      if (caches.get(0).room() == 0) {
        caches.forEach(cache -> cache.truncate(0));
      }
      Arrays.fill(ids, i % 301);
      if (ids.length == 1) {
        decoder.accept(kernels, caches.get(0), ids);
      } else {
        decoder.acceptEach(kernels, caches, ids);
      }
    }
  }

  /** By this thread and the helpers. */
  private long allocated() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(
            thread ->
                thread == Thread.currentThread() || thread.getName().startsWith("spatz-slices"))
        .mapToLong(thread -> threads.getThreadAllocatedBytes(thread.getId()))
        .sum();
  }
}
