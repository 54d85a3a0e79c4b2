package dev.spatz.transformer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.Tensors;
import dev.spatz.kernel.WeightPrecision;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Keys and values have the same bits whether their tokens were read or written, alone or with
 * others: so a text may go on from the blocks of one that was written.
 */
class KeyValueBitsTest {
  private static final int CONTEXT = 150; // two whole blocks and a part of one

  /**
   * A text, and what is written beside it.
   *
   * @param prompts tokens that are read at once, of each of its copies; the others come one by one
   * @param others numbers of other texts
   */
  private record Work(int length, int[] prompts, int... others) {
    static Work of(KernelBackend backend) {
      return backend == KernelBackend.ONEDNN
          ? new Work(CONTEXT, new int[] {1, 7, 63, 64, 65, 100, 128, 149}, 0, 12, 40)
          : new Work(66, new int[] {64}, 5); // the reference is slow
    }
  }

  private static final TransformerConfig GPT2 = TransformerConfig.gpt2(301, CONTEXT, 2, 4, 80);
  private static final TransformerConfig LLAMA =
      TransformerConfig.llama(301, CONTEXT, 2, 4, 80).withKeyValueHeads(2);
  private static final TransformerConfig QWEN3 =
      TransformerConfig.qwen3(301, CONTEXT, 2, 3, 48).withKeyValueHeads(1).withHeadSize(10);

  static Stream<Arguments> all() {
    return Stream.of(GPT2, LLAMA, QWEN3)
        .flatMap(
            form ->
                Arrays.stream(WeightPrecision.values())
                    .flatMap(
                        precision ->
                            Arrays.stream(KernelBackend.values())
                                .filter(
                                    backend ->
                                        backend == KernelBackend.ONEDNN
                                            || form == LLAMA
                                            || precision == WeightPrecision.FLOAT32)
                                .map(backend -> Arguments.of(form, precision, backend))));
  }

  @ParameterizedTest
  @MethodSource("all")
  void writtenTokens_leaveWhatReadOnesDo(
      TransformerConfig config, WeightPrecision precision, KernelBackend backend) {
    TestModels.assumePossible(precision);
    Work work = Work.of(backend);
    int[] ids = TestModels.ids(work.length, config.vocabularySize(), 2);
    int[] prompts = work.prompts;
    try (Transformer model = TestModels.random(config, DataType.FLOAT, 1);
        InferenceWeights weights = model.inferenceWeights(backend, 2, precision);
        Kernels kernels = backend.create();
        Decoder decoder = model.decoder(weights);
        KeyValueCache read = model.cache()) {
      float[] logits = row(decoder.accept(kernels, read, ids), 0);
      List<float[]> expected = contents(read);
      for (int others : work.others) { // rows in blocks of 8, 32 and 64
        List<KeyValueCache> caches = new ArrayList<>();
        try {
          List<float[]> last = write(kernels, model, decoder, ids, prompts, others, caches);
          for (int i = 0; i < prompts.length; i++) {
            String place = prompts[i] + " tokens read, beside " + others + " others";
            List<float[]> actual = contents(caches.get(i));
            for (int part = 0; part < expected.size(); part++) {
              assertArrayEquals(expected.get(part), actual.get(part), place);
            }
            assertArrayEquals(logits, last.get(i), place);
          }
        } finally {
          caches.forEach(KeyValueCache::close);
        }
      }
    }
  }

  /** Writes the text once after each of its beginnings, all together; returns the last logits. */
  private static List<float[]> write(
      Kernels kernels,
      Transformer model,
      Decoder decoder,
      int[] ids,
      int[] prompts,
      int others,
      List<KeyValueCache> caches) {
    for (int prompt : prompts) {
      caches.add(model.cache());
      decoder.accept(kernels, caches.get(caches.size() - 1), Arrays.copyOf(ids, prompt));
    }
    for (int i = 0; i < others; i++) {
      caches.add(model.cache());
    }
    List<float[]> last = new ArrayList<>(Collections.nCopies(prompts.length, null));
    int steps = ids.length - prompts[0];
    for (int step = 0; step < steps; step++) {
      List<Integer> running = new ArrayList<>();
      for (int i = 0; i < caches.size(); i++) {
        // The others only at the beginning and near the end: they cost time.
        boolean counts = i < prompts.length || step < 3 || step > steps - 3;
        if (counts && caches.get(i).length() < ids.length) {
          running.add(i);
        }
      }
      int[] next =
          running.stream()
              .mapToInt(i -> i < prompts.length ? ids[caches.get(i).length()] : i)
              .toArray();
      INDArray logits =
          decoder.acceptEach(kernels, running.stream().map(caches::get).toList(), next);
      for (int i = 0; i < next.length && running.get(i) < prompts.length; i++) {
        last.set(running.get(i), row(logits, i));
      }
    }
    return last;
  }

  private static float[] row(INDArray logits, int row) {
    float[] values = new float[(int) logits.size(1)];
    Tensors.read(logits, (long) row * values.length, values, 0, values.length);
    return values;
  }

  /** The keys, then the values, of each layer and head, of all tokens. */
  private static List<float[]> contents(KeyValueCache cache) {
    List<float[]> all = new ArrayList<>();
    for (List<INDArray> arrays : List.of(cache.keys, cache.values)) {
      for (INDArray array : arrays) { // (G,P,D)
        for (int group = 0; group < array.size(0); group++) {
          float[] values = new float[(int) (cache.length() * array.size(2))];
          long first = group * array.size(1) * array.size(2);
          Tensors.read(array, first, values, 0, values.length);
          all.add(values);
        }
      }
    }
    return all;
  }
}
