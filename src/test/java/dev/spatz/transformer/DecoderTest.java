package dev.spatz.transformer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.Tensors;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;

/** Decoding with a cache against the uncached pass over the whole sequence, which is the judge. */
class DecoderTest {
  private static final int VOCABULARY = 23;
  private static final int CONTEXT = 150;
  private static final TransformerConfig GPT2 =
      TransformerConfig.gpt2(VOCABULARY, CONTEXT, 2, 4, 16);
  private static final TransformerConfig LLAMA =
      TransformerConfig.llama(VOCABULARY, CONTEXT, 2, 4, 16)
          .withKeyValueHeads(2)
          .withHeadSize(6)
          .withTiedEmbeddings(false);
  private static final TransformerConfig QWEN3 =
      TransformerConfig.qwen3(VOCABULARY, CONTEXT, 2, 4, 16).withKeyValueHeads(2).withHeadSize(6);

  private final Kernels kernels = KernelBackend.ND4J.create();

  @AfterEach
  void close() {
    kernels.close();
  }

  static Stream<Arguments> models() {
    return Stream.of(GPT2, LLAMA, QWEN3)
        .flatMap(
            config ->
                Stream.of(DataType.FLOAT, DataType.DOUBLE).map(type -> Arguments.of(config, type)));
  }

  @ParameterizedTest
  @MethodSource("models")
  void logits_equalTheUncachedPasss_forEverySplitOfAPromptInTwo(
      TransformerConfig config, DataType type) {
    int length = 20;
    requireUncachedLogits(
        config,
        type,
        length,
        IntStream.range(1, length).mapToObj(split -> List.of(split, length - split)));
  }

  @ParameterizedTest
  @MethodSource("models")
  void logits_equalTheUncachedPasss_forSplitsThatCrossTheBlocks(
      TransformerConfig config, DataType type) {
    requireUncachedLogits(
        config,
        type,
        CONTEXT,
        Stream.of(
            List.of(150),
            List.of(1, 149),
            List.of(63, 87),
            List.of(64, 86),
            List.of(65, 85),
            List.of(72, 78),
            List.of(7, 64, 79),
            List.of(9, 64, 8, 1, 68),
            List.of(128, 21, 1)));
  }

  @ParameterizedTest
  @MethodSource("models")
  void logits_equalTheUncachedPasss_oneTokenAtATime(TransformerConfig config, DataType type) {
    requireUncachedLogits(
        config, type, 20, Stream.of(IntStream.range(0, 20).map(i -> 1).boxed().toList()));
  }

  /** Accepts the parts of each split after each other; each part's logits must be the pass's. */
  private void requireUncachedLogits(
      TransformerConfig config, DataType type, int length, Stream<List<Integer>> splits) {
    double tolerance = type == DataType.DOUBLE ? 1e-13 : 1e-5;
    int[] ids = TestModels.ids(length, VOCABULARY, 1);
    try (Transformer model = TestModels.random(config, type, 2);
        Decoding decoder = new Decoding(model)) {
      double[] uncached = TestModels.logits(kernels, model, ids, 1);
      splits.forEach(
          split -> {
            decoder.truncate(0);
            int position = 0;
            for (int part : split) {
              double[] logits = accept(decoder, ids, position, position + part);
              position += part;
              double[] expected =
                  Arrays.copyOfRange(uncached, (position - 1) * VOCABULARY, position * VOCABULARY);
              double error = TestModels.relativeError(logits, expected);
              String place = split + " at " + position;
              assertTrue(error <= tolerance, () -> place + ": differs by " + error);
              assertEquals(argmax(expected), argmax(logits), place);
              assertEquals(position, decoder.position());
              assertEquals(CONTEXT - position, decoder.room());
            }
          });
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void truncate_thenContinuing_equalsAFreshDecoder(TransformerConfig config, DataType type) {
    int[] ids = TestModels.ids(100, VOCABULARY, 1);
    int[] abandoned = TestModels.ids(100, VOCABULARY, 3);
    try (Transformer model = TestModels.random(config, type, 2);
        Decoding used = new Decoding(model);
        Decoding fresh = new Decoding(model)) {
      accept(used, ids, 0, 30);
      accept(used, abandoned, 30, 100);
      used.truncate(30);
      assertEquals(30, used.position());
      accept(fresh, ids, 0, 30);
      assertArrayEquals(accept(fresh, ids, 30, 95), accept(used, ids, 30, 95));
      assertArrayEquals(accept(fresh, ids, 95, 96), accept(used, ids, 95, 96));
    }
  }

  @Test
  void decoders_ofOneModel_doNotDisturbEachOther() {
    int[] ids = TestModels.ids(20, VOCABULARY, 1);
    int[] others = TestModels.ids(20, VOCABULARY, 3);
    try (Transformer model = TestModels.random(LLAMA, DataType.FLOAT, 2);
        Decoding alone = new Decoding(model);
        Decoding decoder = new Decoding(model);
        Decoding other = new Decoding(model)) {
      accept(alone, ids, 0, 10);
      double[] expected = accept(alone, ids, 10, 20);
      accept(decoder, ids, 0, 10);
      accept(other, others, 0, 20);
      assertArrayEquals(expected, accept(decoder, ids, 10, 20));
    }
  }

  /** Three sequences of different lengths, five steps together, against each alone. */
  @ParameterizedTest
  @MethodSource("models")
  void acceptEach_equalsEachSequenceAlone(TransformerConfig config, DataType type) {
    double tolerance = type == DataType.DOUBLE ? 1e-13 : 1e-5;
    int[] lengths = {1, 12, 70};
    int[][] ids = new int[lengths.length][];
    try (Transformer model = TestModels.random(config, type, 2);
        Decoder together = model.decoder();
        Decoder alone = model.decoder();
        KeyValueCache first = model.cache();
        KeyValueCache second = model.cache();
        KeyValueCache third = model.cache();
        KeyValueCache single = model.cache()) {
      List<KeyValueCache> caches = List.of(first, second, third);
      for (int i = 0; i < lengths.length; i++) {
        ids[i] = TestModels.ids(lengths[i] + 5, VOCABULARY, i);
        together.accept(kernels, caches.get(i), Arrays.copyOf(ids[i], lengths[i]));
      }
      for (int step = 0; step < 5; step++) {
        int[] next = new int[lengths.length];
        for (int i = 0; i < next.length; i++) {
          next[i] = ids[i][lengths[i] + step];
        }
        double[] logits = Tensors.toDoubles(together.acceptEach(kernels, caches, next));
        for (int i = 0; i < next.length; i++) {
          single.truncate(0);
          double[] expected =
              Tensors.toDoubles(
                  alone.accept(kernels, single, Arrays.copyOf(ids[i], lengths[i] + step + 1)));
          double[] row = Arrays.copyOfRange(logits, i * VOCABULARY, (i + 1) * VOCABULARY);
          double error = TestModels.relativeError(row, expected);
          String place = "sequence " + i + ", step " + step;
          assertTrue(error <= tolerance, () -> place + ": differs by " + error);
        }
      }
      assertEquals(75, third.length());
    }
  }

  @Test
  void acceptEach_refusesAnotherNumberOfIds() {
    try (Transformer model = TestModels.random(LLAMA, DataType.FLOAT, 2);
        Decoder decoder = model.decoder();
        KeyValueCache cache = model.cache()) {
      assertThrows(
          IllegalArgumentException.class, () -> decoder.acceptEach(kernels, List.of(cache), 1, 2));
    }
  }

  @Test
  void accept_refusesNoTokens() {
    requireRefusal("there is no token to accept");
  }

  @Test
  void accept_refusesATokenOutsideTheVocabulary() {
    requireRefusal("token id 23 is outside the vocabulary of 23", 1, 23);
    requireRefusal("token id -1 is outside the vocabulary of 23", -1);
  }

  @Test
  void accept_refusesMoreTokensThanTheContextHolds() {
    requireRefusal("146 tokens after 5 exceed the contextLength (150)", new int[146]);
  }

  /** A refusal leaves the decoder as it was. */
  private void requireRefusal(String message, int... ids) {
    int[] prompt = TestModels.ids(6, VOCABULARY, 1);
    try (Transformer model = TestModels.random(LLAMA, DataType.FLOAT, 2);
        Decoding decoder = new Decoding(model);
        Decoding undisturbed = new Decoding(model)) {
      accept(decoder, prompt, 0, 5);
      accept(undisturbed, prompt, 0, 5);
      IllegalArgumentException refusal =
          assertThrows(IllegalArgumentException.class, () -> decoder.accept(kernels, ids));
      assertEquals(message, refusal.getMessage());
      assertEquals(5, decoder.position());
      assertArrayEquals(accept(undisturbed, prompt, 5, 6), accept(decoder, prompt, 5, 6));
    }
  }

  @Test
  void truncate_refusesLengthsThatWereNotReached() {
    try (Transformer model = TestModels.random(LLAMA, DataType.FLOAT, 2);
        Decoding decoder = new Decoding(model)) {
      decoder.accept(kernels, 1, 2, 3);
      for (int length : new int[] {-1, 4}) {
        IllegalArgumentException refusal =
            assertThrows(IllegalArgumentException.class, () -> decoder.truncate(length));
        assertEquals(
            "length (%d) must be from 0 to the tokens so far (3)".formatted(length),
            refusal.getMessage());
      }
      assertEquals(3, decoder.position());
    }
  }

  @Test
  void accept_refusesAClosedDecoder_whichMayBeClosedTwice() {
    try (Transformer model = TestModels.random(LLAMA, DataType.FLOAT, 2)) {
      Decoding decoder = new Decoding(model);
      decoder.close();
      assertDoesNotThrow(decoder::close);
      assertThrows(IllegalStateException.class, () -> decoder.accept(kernels, 1));
    }
  }

  private double[] accept(Decoding decoder, int[] ids, int from, int to) {
    return Tensors.toDoubles(decoder.accept(kernels, Arrays.copyOfRange(ids, from, to)));
  }

  private static int argmax(double[] values) {
    return IntStream.range(0, values.length)
        .reduce((best, i) -> values[i] > values[best] ? i : best)
        .orElseThrow();
  }
}
