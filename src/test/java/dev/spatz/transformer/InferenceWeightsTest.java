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
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Decoding with packed weights: near the plain decoder, and the same bits however it is done. */
class InferenceWeightsTest {
  private static final int LENGTH = 75;

  /** Its head and feed-forward maps have several slices, one of them not whole. */
  private static final TransformerConfig GPT2 = TransformerConfig.gpt2(1_301, 90, 2, 4, 208);

  private static final TransformerConfig LLAMA =
      TransformerConfig.llama(1_301, 90, 2, 4, 208).withKeyValueHeads(2).withTiedEmbeddings(false);

  private static final TransformerConfig TINY = TransformerConfig.gpt2(13, 90, 1, 1, 2);

  static Stream<TransformerConfig> forms() {
    return Stream.of(GPT2, LLAMA, TINY);
  }

  static Stream<Arguments> formsAndPrecisions() {
    return forms()
        .flatMap(form -> Arrays.stream(WeightPrecision.values()).map(p -> Arguments.of(form, p)));
  }

  /** What rounding the weights alone changes, and a little for the order of sums. */
  private static double tolerance(WeightPrecision precision) {
    return switch (precision) {
      case FLOAT32 -> 1e-5;
      case BF16 -> 2e-2;
      case INT8 -> 4e-2;
    };
  }

  @ParameterizedTest
  @MethodSource("formsAndPrecisions")
  void logits_areNearThePlainDecoders(TransformerConfig config, WeightPrecision precision) {
    TestModels.assumePossible(precision);
    int[] ids = TestModels.ids(LENGTH, config.vocabularySize(), 2);
    for (KernelBackend backend : KernelBackend.values()) {
      try (Transformer model = TestModels.random(config, DataType.FLOAT, 1);
          InferenceWeights weights = model.inferenceWeights(backend, 2, precision);
          Kernels kernels = backend.create();
          Decoder plain = model.decoder();
          Decoder packed = model.decoder(weights);
          KeyValueCache one = model.cache();
          KeyValueCache other = model.cache()) {
        double[] expected = Tensors.toDoubles(plain.accept(kernels, one, ids));
        double[] actual = Tensors.toDoubles(packed.accept(kernels, other, ids));
        double error = TestModels.relativeError(actual, expected);
        double tolerance = tolerance(precision);
        assertTrue(error < tolerance, () -> backend + ": " + error);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("formsAndPrecisions")
  void bits_areTheSame_forAnyNumberOfSequencesAndThreads(
      TransformerConfig config, WeightPrecision precision) {
    TestModels.assumePossible(precision);
    int[] ids = TestModels.ids(LENGTH, config.vocabularySize(), 2);
    KernelBackend backend = KernelBackend.choose();
    try (Transformer model = TestModels.random(config, DataType.FLOAT, 1);
        Kernels kernels = backend.create()) {
      float[] expected = null;
      for (int threads : new int[] {1, 2, 3}) {
        try (InferenceWeights weights = model.inferenceWeights(backend, threads, precision);
            Decoder decoder = model.decoder(weights)) {
          List<float[]> results = new ArrayList<>();
          for (int sequences : new int[] {1, 5, 8, 9, 64}) {
            results.add(together(kernels, model, decoder, ids, sequences));
          }
          expected = expected == null ? results.get(0) : expected;
          for (float[] result : results) {
            assertArrayEquals(expected, result);
          }
        }
      }
    }
  }

  /** A chunk of the head's rows is not whole, and some targets do not count. */
  @ParameterizedTest
  @EnumSource(WeightPrecision.class)
  void loss_isNearThePlainWeights(WeightPrecision precision) {
    TestModels.assumePossible(precision);
    int rows = 13 * LENGTH;
    int[] inputs = TestModels.ids(rows, GPT2.vocabularySize(), 2);
    int[] targets = TestModels.ids(rows, GPT2.vocabularySize(), 3);
    targets[5] = -1;
    KernelBackend backend = KernelBackend.choose();
    try (Transformer model = TestModels.random(GPT2, DataType.FLOAT, 1);
        InferenceWeights weights = model.inferenceWeights(backend, 1, precision);
        Workspace workspace = model.workspace(13, LENGTH);
        Kernels kernels = backend.create()) {
      double[] expected = new double[rows];
      double[] actual = new double[rows];
      double sum = model.loss(kernels, workspace, inputs, targets, expected);
      assertEquals(sum, weights.loss(kernels, workspace, inputs, targets, actual), 2e-2 * sum);
      assertEquals(0, actual[5]);
      double error = TestModels.relativeError(actual, expected);
      assertTrue(error < tolerance(precision), () -> "relative error " + error);
    }
  }

  /** The last logits of the last of several sequences, whose last tokens are taken together. */
  private static float[] together(
      Kernels kernels, Transformer model, Decoder decoder, int[] ids, int sequences) {
    List<KeyValueCache> caches =
        IntStream.range(0, sequences).mapToObj(i -> model.cache()).toList();
    try {
      int begun = ids.length - 2;
      decoder.accept(kernels, caches.get(sequences - 1), Arrays.copyOf(ids, begun));
      INDArray logits = null;
      for (int token = begun; token < ids.length; token++) {
        int[] next = new int[sequences];
        next[sequences - 1] = ids[token];
        logits = decoder.acceptEach(kernels, caches, next);
      }
      float[] row = new float[model.config().vocabularySize()];
      Tensors.read(logits, (sequences - 1L) * row.length, row, 0, row.length);
      return row;
    } finally {
      caches.forEach(KeyValueCache::close);
    }
  }

  /** The last logits are the same to the bit, however many tokens come at a time. */
  @ParameterizedTest
  @MethodSource("forms")
  void bits_areTheSame_howeverTheTokensAreSplit(TransformerConfig config) {
    int[] ids = TestModels.ids(LENGTH, config.vocabularySize(), 2);
    for (KernelBackend backend : KernelBackend.values()) {
      try (Transformer model = TestModels.random(config, DataType.FLOAT, 1);
          InferenceWeights weights = model.inferenceWeights(backend, 2, WeightPrecision.FLOAT32);
          Kernels kernels = backend.create();
          Decoder decoder = model.decoder(weights)) {
        double[] expected = split(kernels, model, decoder, ids, LENGTH);
        for (int part : new int[] {1, 3, 8, 13, 64, 70}) {
          assertArrayEquals(
              expected,
              split(kernels, model, decoder, ids, part),
              () -> backend + ", " + part + " tokens at a time");
        }
      }
    }
  }

  private static double[] split(
      Kernels kernels, Transformer model, Decoder decoder, int[] ids, int part) {
    try (KeyValueCache cache = model.cache()) {
      double[] logits = {};
      for (int from = 0; from < ids.length; from += part) {
        int to = Math.min(ids.length, from + part);
        logits =
            Tensors.toDoubles(decoder.accept(kernels, cache, Arrays.copyOfRange(ids, from, to)));
      }
      return logits;
    }
  }

  /** A sequence that takes over another's blocks goes on as that one does, to the bit. */
  @ParameterizedTest
  @MethodSource("forms")
  void bits_areTheSame_afterBlocksOfAnotherSequence(TransformerConfig config) {
    int[] ids = TestModels.ids(LENGTH, config.vocabularySize(), 2);
    int[] rest = Arrays.copyOfRange(ids, KeyValueCache.BLOCK, LENGTH);
    KernelBackend backend = KernelBackend.choose();
    try (Transformer model = TestModels.random(config, DataType.FLOAT, 1);
        InferenceWeights weights = model.inferenceWeights(backend, 2, WeightPrecision.FLOAT32);
        Kernels kernels = backend.create();
        Decoder decoder = model.decoder(weights);
        KeyValueCache first = model.cache();
        KeyValueCache second = model.cache(LENGTH)) {
      double[] expected = Tensors.toDoubles(decoder.accept(kernels, first, ids));
      try (KeyValueBlock block = first.block(0)) {
        second.append(block);
      }
      assertEquals(KeyValueCache.BLOCK, second.length());
      assertArrayEquals(expected, Tensors.toDoubles(decoder.accept(kernels, second, rest)));
      assertThrows(IllegalArgumentException.class, () -> first.block(1));
    }
  }

  @Test
  void threads_atLeastOne() {
    try (Transformer model = TestModels.random(TINY, DataType.FLOAT, 1)) {
      assertThrows(
          IllegalArgumentException.class,
          () -> model.inferenceWeights(KernelBackend.ND4J, 0, WeightPrecision.FLOAT32));
    }
  }

  @Test
  void decoding_isRefused_onceClosed() {
    try (Transformer model = TestModels.random(TINY, DataType.FLOAT, 1);
        Kernels kernels = KernelBackend.ND4J.create();
        KeyValueCache cache = model.cache()) {
      InferenceWeights weights =
          model.inferenceWeights(KernelBackend.ND4J, 2, WeightPrecision.FLOAT32);
      try (Decoder decoder = model.decoder(weights)) {
        weights.close();
        weights.close();
        assertThrows(IllegalStateException.class, () -> decoder.accept(kernels, cache, 1));
      }
      assertThrows(IllegalStateException.class, () -> model.decoder(weights));
    }
  }
}
