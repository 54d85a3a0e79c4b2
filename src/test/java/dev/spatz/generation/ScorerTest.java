package dev.spatz.generation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.Tensors;
import dev.spatz.tokenizer.CharacterTokenizer;
import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.transformer.Decoder;
import dev.spatz.transformer.KeyValueCache;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.TransformerConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

class ScorerTest {
  private static final int CONTEXT = 300;

  private final Tokenizer tokenizer = CharacterTokenizer.of('a', 'b', 'c', ' ', 'ß');
  private final Transformer transformer =
      Transformer.initialized(
          TransformerConfig.llama(tokenizer.vocabularySize(), CONTEXT, 2, 2, 16),
          DataType.FLOAT,
          5);
  private final Generator generator = generator(EngineConfig.defaults());
  private final Scorer scorer = generator.scorer();

  @AfterEach
  void close() {
    generator.close();
    transformer.close();
  }

  private Generator generator(EngineConfig engine) {
    return new Generator(
        new ModelParts(
            new ModelLifetime(),
            KernelBackend.choose(),
            transformer,
            tokenizer,
            LoadOptions.defaults().withEngine(engine)));
  }

  private static String text(int length) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < length; i++) {
      text.append("abc ß".charAt(i * i * 7 % 11 % 5));
    }
    return text.toString();
  }

  /** One softmax of ND4J's after each token, from its logits in double precision. */
  private double[] naive(String prefix, String text) {
    int[] ids = tokenizer.encode(prefix + text);
    int[] all =
        prefix.isEmpty()
            ? IntStream.concat(IntStream.of(tokenizer.endOfText()), IntStream.of(ids)).toArray()
            : ids;
    double[] scores = new double[tokenizer.encode(text).length];
    try (Kernels kernels = KernelBackend.ND4J.create();
        Decoder decoder = transformer.decoder();
        KeyValueCache cache = transformer.cache()) {
      for (int i = 0; i + 1 < all.length; i++) {
        double[] logits = Tensors.toDoubles(decoder.accept(kernels, cache, all[i]).dup());
        double sum = 0;
        for (double logit : logits) {
          sum += Math.exp(logit);
        }
        int place = i + 1 - (all.length - scores.length);
        if (place >= 0) {
          scores[place] = Math.log(Math.exp(logits[all[i + 1]]) / sum);
        }
      }
    }
    return scores;
  }

  private static double[] values(TextScore score) {
    return score.tokens().stream().mapToDouble(TokenScore::logProbability).toArray();
  }

  @Test
  void score_isTheNaiveComputation() {
    assertArrayEquals(naive("", text(200)), values(scorer.score("", text(200))), 1e-4);
    assertArrayEquals(naive("ab", text(70)), values(scorer.score("ab", text(70))), 1e-4);
    assertArrayEquals(naive(text(130), "c"), values(scorer.score(text(130), "c")), 1e-4);
  }

  @Test
  void score_sumsAndSpellsTheTokens() {
    TextScore score = scorer.score("ab", "cß");
    assertEquals(2, score.prefixTokens());
    assertEquals(3, score.textBytes());
    assertEquals(List.of("c", "ß"), score.tokens().stream().map(TokenScore::text).toList());
    double sum = values(score)[0] + values(score)[1];
    assertEquals(sum, score.logProbability());
    assertEquals(sum / 2, score.meanLogProbability());
    assertEquals(Math.exp(-sum / 2), score.perplexity(), 1e-12);
  }

  /** Bit for bit, whatever was known of the prefix, and as the tokens of a generated text. */
  @Test
  void score_ofAContinuation_isThatOfTheWhole() {
    String whole = text(250);
    double[] expected = values(scorer.score(whole.substring(0, 1), whole.substring(1)));
    for (int cut : new int[] {2, 63, 64, 65, 129, 200, 249, 200, 129, 2}) {
      double[] rest = values(scorer.score(whole.substring(0, cut), whole.substring(cut)));
      for (int i = 0; i < rest.length; i++) {
        assertEquals(expected[cut - 1 + i], rest[i], "cut at " + cut);
      }
    }
    GenerationConfig listing = GenerationConfig.defaults().withMaxNewTokens(30).withAlternatives(0);
    Generation generation =
        generator.generate(
            text(70), listing.withStopAtEndOfText(false).withLogitBias(noEnd()), piece -> {});
    double[] generated =
        generation.tokens().stream()
            .mapToDouble(token -> token.chosen().logProbability())
            .toArray();
    assertArrayEquals(generated, values(scorer.score(text(70), generation.text())));
  }

  private Map<Integer, Double> noEnd() {
    return Map.of(tokenizer.endOfText(), Double.NEGATIVE_INFINITY);
  }

  @Test
  void rank_isByScoreBestFirst_andReadsThePrefixOnce() {
    String prefix = text(100);
    List<String> candidates = List.of("a", "b", "ab ab", "ab ac");
    List<RankedText> ranked = scorer.rank(prefix, candidates, RankBy.SUM);
    EngineStatistics after = generator.statistics();
    // 100 of the prefix, and all but the last token of each candidate
    assertEquals(100 + 0 + 0 + 4 + 4, after.promptTokens() - after.cachedPromptTokens());
    double before = Double.POSITIVE_INFINITY;
    for (RankedText text : ranked) {
      assertEquals(text.text(), candidates.get(text.index()));
      TextScore alone = scorer.score(prefix, text.text());
      assertEquals(alone, text.score());
      assertEquals(alone.logProbability(), text.value());
      assertTrue(text.value() <= before);
      before = text.value();
    }
  }

  @Test
  void rank_normalizes() {
    List<String> candidates = List.of("ß", "abc", "c c");
    for (RankBy by : RankBy.values()) {
      for (RankedText text : scorer.rank("ab", candidates, by)) {
        double sum = scorer.score("ab", text.text()).logProbability();
        double alone = scorer.score("", text.text()).logProbability();
        int tokens = text.text().length();
        double expected =
            switch (by) {
              case SUM -> sum;
              case PER_TOKEN -> sum / tokens;
              case PER_BYTE -> sum / (text.index() == 0 ? 2 : tokens);
              case GAIN -> sum - alone;
            };
        assertEquals(expected, text.value(), by + " of " + text);
      }
    }
  }

  @Test
  void rank_keepsTheOrderOfEquals() {
    List<RankedText> ranked = scorer.rank("a", List.of("b", "b", "b"), RankBy.SUM);
    assertEquals(List.of(0, 1, 2), ranked.stream().map(RankedText::index).toList());
  }

  /** The head makes of the last state, whatever its length, the logits up to a factor. */
  @Test
  void embed_last_isTheStateThatTheLogitsAreMadeOf() {
    float[] embedding = scorer.embed(text(90), Pooling.LAST);
    assertEquals(16, embedding.length);
    assertEquals(1, dot(embedding, embedding), 1e-6);
    int[] ids = tokenizer.encode(text(90));
    float[] head = Tensors.toFloats(transformer.parameters().get("tokens"));
    try (Kernels kernels = KernelBackend.ND4J.create();
        Decoder decoder = transformer.decoder();
        KeyValueCache cache = transformer.cache()) {
      float[] logits = Tensors.toFloats(decoder.accept(kernels, cache, ids));
      double factor = Double.NaN;
      for (int id = 0; id < logits.length; id++) {
        double product = 0;
        for (int i = 0; i < embedding.length; i++) {
          product += (double) embedding[i] * head[id * embedding.length + i];
        }
        factor = id == 0 ? logits[0] / product : factor;
        assertEquals(logits[id], factor * product, 1e-4);
      }
    }
  }

  /** States of the tokens one by one, by the other kernels and without packed weights. */
  @Test
  void embed_mean_isTheNaiveMean() {
    double[] sum = new double[16];
    try (Kernels kernels = KernelBackend.ND4J.create();
        Decoder decoder = transformer.decoder();
        KeyValueCache cache = transformer.cache()) {
      for (int id : tokenizer.encode(text(150))) {
        decoder.acceptForStates(
            kernels,
            cache,
            new int[] {id},
            (rows, first, count) -> {
              for (int i = 0; i < sum.length; i++) {
                sum[i] += Tensors.get(rows, i);
              }
            });
      }
    }
    double length = Math.sqrt(IntStream.range(0, 16).mapToDouble(i -> sum[i] * sum[i]).sum());
    float[] embedding = scorer.embed(text(150), Pooling.MEAN);
    for (int i = 0; i < sum.length; i++) {
      assertEquals(sum[i] / length, embedding[i], 1e-5);
    }
    assertNotEquals(embedding[0], scorer.embed(text(150), Pooling.LAST)[0]);
    assertEquals(1, dot(scorer.embed("", Pooling.MEAN), scorer.embed("", Pooling.LAST)), 1e-6);
  }

  private static double dot(float[] a, float[] b) {
    return IntStream.range(0, a.length).mapToDouble(i -> (double) a[i] * b[i]).sum();
  }

  /** Beside texts that are being written, and with few places. */
  @Test
  void manyCallers_eachGetWhatTheyGetAlone() throws Exception {
    GenerationConfig config =
        GenerationConfig.defaults().withSeed(1).withMaxNewTokens(40).withStopAtEndOfText(false);
    int callers = 24;
    List<List<Object>> alone = new ArrayList<>();
    for (int i = 0; i < callers; i++) {
      alone.add(answers(generator, config, i));
    }
    ExecutorService threads = Executors.newFixedThreadPool(callers);
    EngineConfig few = EngineConfig.defaults().withMostSequences(5).withPrefixCacheBytes(50_000);
    try (Generator busy = generator(few)) {
      List<Future<List<Object>>> futures = new ArrayList<>();
      for (int i = 0; i < callers; i++) {
        int number = i;
        futures.add(threads.submit(() -> answers(busy, config, number)));
      }
      for (int i = 0; i < callers; i++) {
        assertEquals(alone.get(i), futures.get(i).get());
      }
    } finally {
      threads.shutdown();
    }
  }

  private static List<Object> answers(Generator generator, GenerationConfig config, int number) {
    Scorer scorer = generator.scorer();
    String prefix = text(number * 11);
    List<Float> embedding = new ArrayList<>();
    for (float value : scorer.embed(prefix, Pooling.MEAN)) {
      embedding.add(value);
    }
    return List.of(
        generator.generate(prefix, config, piece -> {}).text(),
        scorer.rank(prefix, List.of("ab", "c", "a b c", "abß"), RankBy.PER_TOKEN),
        embedding,
        scorer.score("", prefix + "a"));
  }

  @Test
  void whatDoesNotFit_isRefused() {
    scorer.score("", text(CONTEXT));
    String message =
        assertThrows(IllegalArgumentException.class, () -> scorer.score("a", text(CONTEXT + 1)))
            .getMessage();
    assertTrue(message.contains("contextLength (300)"), message);
    assertThrows(
        IllegalArgumentException.class, () -> scorer.embed(text(CONTEXT + 1), Pooling.MEAN));
    assertThrows(IllegalArgumentException.class, () -> scorer.score("a", ""));
    assertThrows(IllegalArgumentException.class, () -> scorer.rank("a", List.of(), RankBy.SUM));
    assertThrows(IllegalArgumentException.class, () -> scorer.score("a", "x"));
    try (Generator small =
        generator(EngineConfig.defaults().withCacheBytes(transformer.cacheBytes(64)))) {
      assertThrows(IllegalArgumentException.class, () -> small.scorer().score("", text(100)));
    }
  }

  @Test
  void score_endsWhenInterruptedOrClosed() {
    Thread.currentThread().interrupt();
    assertThrows(CancellationException.class, () -> scorer.score("a", "b"));
    assertTrue(Thread.interrupted());
    generator.close();
    assertThrows(IllegalStateException.class, () -> scorer.score("a", "b"));
    assertThrows(IllegalStateException.class, () -> scorer.embed("a", Pooling.LAST));
  }

  @Test
  void logitsProcessor_cannotAskItsOwnModel() {
    GenerationConfig asking =
        GenerationConfig.defaults().withLogitsProcessor((ids, logits) -> scorer.score("a", "b"));
    String message =
        assertThrows(
                IllegalStateException.class, () -> generator.generate("a", asking, piece -> {}))
            .getMessage();
    assertTrue(message.contains("logits processor"), message);
  }
}
