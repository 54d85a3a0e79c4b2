package dev.spatz.transformer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.Tensors;
import dev.spatz.kernel.WeightPrecision;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Sequences with adapters of their own, decoded together. */
class AdapterDecodingTest {
  private static final TransformerConfig QWEN3 =
      TransformerConfig.qwen3(130, 200, 2, 4, 64).withKeyValueHeads(2);
  private static final TransformerConfig GPT2 = TransformerConfig.gpt2(130, 200, 2, 4, 64);

  private static LoraAdapter adapter(Transformer model, LoraConfig lora, long seed) {
    try (Transformer adapted = model.adapted(lora, 0, seed)) {
      LoraGradientTest.randomize(adapted.trained(), 0.02 + 0.01 * seed);
      return adapted.adapter(Map.of());
    }
  }

  /** Logits after each of some tokens of a sequence alone, with an adapter or none. */
  private static List<float[]> alone(
      Kernels kernels,
      Decoder decoder,
      Transformer model,
      @Nullable InferenceAdapter with,
      int[] prompt,
      int[] next) {
    List<float[]> logits = new ArrayList<>();
    try (KeyValueCache cache = model.cache()) {
      if (with != null) {
        cache.adapt(with);
      }
      logits.add(firstRow(decoder.accept(kernels, cache, prompt)));
      for (int id : next) {
        logits.add(firstRow(decoder.accept(kernels, cache, id)));
      }
    }
    return logits;
  }

  private static float[] firstRow(INDArray logits) {
    return Arrays.copyOf(Tensors.toFloats(logits), (int) logits.size(1));
  }

  /** The same bits, whoever else is decoded with whatever adapter, and by however many threads. */
  @ParameterizedTest
  @CsvSource({"true,FLOAT32", "false,FLOAT32", "false,BF16", "false,INT8"})
  void sequences_areTheSameTogetherAsAlone(boolean gpt2, WeightPrecision precision) {
    TestModels.assumePossible(precision);
    KernelBackend backend = KernelBackend.choose();
    try (Transformer model = TestModels.random(gpt2 ? GPT2 : QWEN3, DataType.FLOAT, 3);
        Kernels kernels = backend.create()) {
      LoraAdapter first = adapter(model, LoraConfig.defaults().withRank(4), 1);
      LoraAdapter second =
          adapter(
              model,
              LoraConfig.defaults().withRank(5).withTargets(LoraTarget.OUTPUT, LoraTarget.UP),
              2);
      try (InferenceAdapter one =
              model.inferenceAdapter(backend, List.of(new WeightedAdapter(first, 1)));
          InferenceAdapter both =
              model.inferenceAdapter(
                  backend,
                  List.of(new WeightedAdapter(first, 0.5), new WeightedAdapter(second, -2)))) {
        assertTrue(one.bytes() > 0 && both.bytes() >= one.bytes());
        InferenceAdapter[] adapters = {one, null, both, one, null};
        int[][] prompts = new int[adapters.length][];
        for (int i = 0; i < prompts.length; i++) {
          prompts[i] = TestModels.ids(3 + 17 * i, 130, i);
        }
        int[] next = TestModels.ids(6, 130, 9);
        List<List<float[]>> expected = new ArrayList<>();
        try (InferenceWeights weights = model.inferenceWeights(backend, 1, precision);
            Decoder decoder = model.decoder(weights)) {
          for (int i = 0; i < prompts.length; i++) {
            expected.add(alone(kernels, decoder, model, adapters[i], prompts[i], next));
          }
        }
        for (int threads : new int[] {1, 3}) {
          try (InferenceWeights weights = model.inferenceWeights(backend, threads, precision);
              Decoder decoder = model.decoder(weights)) {
            together(kernels, decoder, model, adapters, prompts, next, expected);
          }
        }
      }
    }
  }

  private static void together(
      Kernels kernels,
      Decoder decoder,
      Transformer model,
      InferenceAdapter[] adapters,
      int[][] prompts,
      int[] next,
      List<List<float[]>> expected) {
    List<KeyValueCache> caches = new ArrayList<>();
    try {
      for (int i = 0; i < prompts.length; i++) {
        KeyValueCache cache = model.cache();
        caches.add(cache);
        if (adapters[i] != null) {
          cache.adapt(adapters[i]);
        }
        assertArrayEquals(
            expected.get(i).get(0), firstRow(decoder.accept(kernels, cache, prompts[i])));
      }
      for (int step = 0; step < next.length; step++) {
        int[] ids = new int[caches.size()];
        Arrays.fill(ids, next[step]);
        float[] logits = Tensors.toFloats(decoder.acceptEach(kernels, caches, ids));
        for (int i = 0; i < ids.length; i++) {
          float[] row = Arrays.copyOfRange(logits, i * 130, (i + 1) * 130);
          assertArrayEquals(expected.get(i).get(step + 1), row, "sequence " + i);
        }
      }
    } finally {
      caches.forEach(KeyValueCache::close);
    }
  }

  @ParameterizedTest
  @EnumSource(KernelBackend.class)
  void stackedAdapters_areTheModelThatHasThemMerged(KernelBackend backend) {
    try (Transformer model = TestModels.random(QWEN3, DataType.FLOAT, 3);
        Kernels kernels = backend.create()) {
      List<WeightedAdapter> stack =
          List.of(
              new WeightedAdapter(adapter(model, LoraConfig.defaults().withRank(3), 1), 0.7),
              new WeightedAdapter(
                  adapter(
                      model,
                      LoraConfig.defaults().withTargets(LoraTarget.VALUE, LoraTarget.DOWN),
                      2),
                  -0.4));
      int[] prompt = TestModels.ids(70, 130, 1);
      int[] next = TestModels.ids(4, 130, 2);
      try (Transformer merged = model.merged(kernels, stack);
          InferenceAdapter adapter = model.inferenceAdapter(backend, stack);
          Decoder ofMerged = merged.decoder();
          Decoder decoder = model.decoder()) {
        List<float[]> expected = alone(kernels, ofMerged, merged, null, prompt, next);
        List<float[]> actual = alone(kernels, decoder, model, adapter, prompt, next);
        for (int i = 0; i < expected.size(); i++) {
          double error = TestModels.relativeError(doubles(actual.get(i)), doubles(expected.get(i)));
          assertTrue(error <= 1e-5, "differ by " + error);
        }
      }
    }
  }

  private static double[] doubles(float[] values) {
    double[] copy = new double[values.length];
    Arrays.setAll(copy, i -> values[i]);
    return copy;
  }

  @Test
  void adapterOfAnotherModel_orTooLate_isRefused() {
    try (Transformer model = TestModels.random(QWEN3, DataType.FLOAT, 3);
        Transformer other = TestModels.random(GPT2, DataType.FLOAT, 3);
        Kernels kernels = KernelBackend.ND4J.create();
        Decoder decoder = model.decoder();
        KeyValueCache cache = model.cache()) {
      LoraAdapter foreign = adapter(other, LoraConfig.defaults(), 1);
      List<WeightedAdapter> list = List.of(new WeightedAdapter(foreign, 1));
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class,
              () -> model.inferenceAdapter(KernelBackend.ND4J, list));
      assertTrue(e.getMessage().contains("QUERY_KEY_VALUE of layer 0"), e.getMessage());
      assertThrows(IllegalArgumentException.class, () -> model.merged(kernels, list));
      decoder.accept(kernels, cache, 1);
      try (InferenceAdapter own =
          model.inferenceAdapter(
              KernelBackend.ND4J,
              List.of(new WeightedAdapter(adapter(model, LoraConfig.defaults(), 1), 1)))) {
        assertThrows(IllegalStateException.class, () -> cache.adapt(own));
      }
    }
  }

  @Test
  void settings_areChecked() {
    LoraConfig lora = LoraConfig.defaults();
    assertThrows(IllegalArgumentException.class, () -> lora.withRank(0));
    assertThrows(IllegalArgumentException.class, () -> lora.withAlpha(0));
    assertThrows(IllegalArgumentException.class, () -> lora.withDropout(1));
    assertEquals(2, lora.scale());
    assertEquals(16 / Math.sqrt(8), lora.withRankStabilized(true).scale());
    LoraConfig wrong = lora.withTargets(LoraTarget.GATE);
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> wrong.modules(GPT2));
    assertTrue(e.getMessage().contains("targets (GATE)"), e.getMessage());
    assertThrows(
        IllegalArgumentException.class,
        () -> {
          try (Transformer model = TestModels.random(QWEN3, DataType.FLOAT, 1)) {
            new WeightedAdapter(adapter(model, lora, 1), Double.NaN);
          }
        });
  }
}
