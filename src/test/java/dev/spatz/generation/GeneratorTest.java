package dev.spatz.generation;

import static org.junit.jupiter.api.Assertions.assertEquals;
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
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

class GeneratorTest {
  private static final int PADDED_VOCABULARY = 40;
  private final Tokenizer tokenizer = CharacterTokenizer.of('a', 'b', 'ß', 0x1F426);
  private final Transformer transformer =
      Transformer.initialized(
          TransformerConfig.llama(PADDED_VOCABULARY, 24, 1, 2, 8), DataType.FLOAT, 5);
  private final Kernels kernels = KernelBackend.ND4J.create();
  private final GenerationConfig endless =
      GenerationConfig.defaults()
          .withSeed(3)
          .withTemperature(2)
          .withTopP(1)
          .withMaxNewTokens(100)
          .withStopAtEndOfText(false);

  @AfterEach
  void close() {
    kernels.close();
    transformer.close();
  }

  private Generation generate(GenerationConfig config, int... prompt) {
    try (Generator generator = new Generator(model())) {
      StringBuilder pieces = new StringBuilder();
      Generation generation = generator.generate(prompt, config, pieces::append);
      assertEquals(pieces.toString(), generation.text());
      return generation;
    }
  }

  /** Nearly all of the padded vocabulary's probability lies on ids without a meaning. */
  @Test
  void generate_neverDrawsPadding() {
    Generation generation = generate(endless, 0);
    assertTrue(generation.text().codePoints().allMatch(c -> "abß\uD83D\uDC26".indexOf(c) >= 0));
    assertEquals(FinishReason.CONTEXT_FULL, generation.finishReason());
    assertEquals(24, generation.newTokens());
  }

  @Test
  void generate_stopsAtTheMostTokens() {
    Generation generation = generate(endless.withMaxNewTokens(5), 0, 1);
    assertEquals(5, generation.newTokens());
    assertEquals(2, generation.promptTokens());
    assertEquals(FinishReason.MAX_NEW_TOKENS, generation.finishReason());
  }

  @Test
  void generate_stopsAtTheEndOfText() {
    Generation open = generate(endless, 0);
    Generation stopping = generate(endless.withStopAtEndOfText(true), 0);
    assertEquals(FinishReason.END_OF_TEXT, stopping.finishReason());
    assertTrue(open.text().startsWith(stopping.text()));
    assertTrue(stopping.newTokens() < open.newTokens());
  }

  /** Greedy generation is the argmax of the whole model's logits, step by step. */
  @Test
  void generate_greedyIsTheArgmaxAtEachStep() {
    Generation generation = generate(GenerationConfig.greedy().withMaxNewTokens(6), 0, 2);
    int[] expected = new int[6];
    try (Decoder decoder = transformer.decoder();
        KeyValueCache cache = transformer.cache()) {
      var logits = decoder.accept(kernels, cache, 0, 2);
      for (int i = 0; i < expected.length; i++) {
        float[] known = new float[tokenizer.vocabularySize()];
        Tensors.read(logits, 0, known, 0, known.length);
        expected[i] = argmax(known);
        logits = decoder.accept(kernels, cache, expected[i]);
      }
    }
    assertTrue(tokenizer.decode(expected).startsWith(generation.text()));
  }

  private static int argmax(float[] values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      best = values[i] > values[best] ? i : best;
    }
    return best;
  }

  @Test
  void generate_refusesAPromptWithoutRoom() {
    String message =
        assertThrows(IllegalArgumentException.class, () -> generate(endless, new int[24]))
            .getMessage();
    assertEquals(
        "the prompt of 24 tokens leaves no room in the context of 24; shorten it", message);
  }

  @Test
  void generate_refusesAnEmptyPrompt() {
    assertThrows(IllegalArgumentException.class, () -> generate(endless));
  }

  @Test
  void generate_stopsBeforeAString() {
    String whole = generate(endless, 0).text();
    String stop = whole.substring(4, whole.offsetByCodePoints(4, 2));
    Generation stopped = generate(endless.withStopStrings(stop), 0);
    assertEquals(whole.substring(0, whole.indexOf(stop)), stopped.text());
    assertEquals(FinishReason.STOP_STRING, stopped.finishReason());
  }

  @Test
  void generate_stopsAtTheDeadline() {
    AtomicLong clock = new AtomicLong();
    GenerationConfig config = endless.withDeadline(Duration.ofNanos(10));
    try (Generator generator = new Generator(model(), clock::getAndIncrement)) {
      Generation generation = generator.generate(new int[] {0}, config, piece -> {});
      assertEquals(FinishReason.DEADLINE, generation.finishReason());
      // Begun at 0; two readings a token, but the first two come with one step.
      assertEquals(5, generation.newTokens());
      assertEquals(Duration.ofNanos(2), generation.timing().toFirstToken());
      assertEquals(Duration.ofNanos(9), generation.timing().toLastToken());
      assertEquals(4e9 / 7, generation.timing().tokensPerSecond());
    }
  }

  private ModelParts model() {
    return model(EngineConfig.defaults());
  }

  private ModelParts model(EngineConfig engine) {
    return new ModelParts(
        new ModelLifetime(),
        KernelBackend.ND4J,
        transformer,
        tokenizer,
        LoadOptions.defaults().withEngine(engine));
  }

  @Test
  void generate_listsTokensWithAlternatives() {
    Generation generation = generate(endless.withMaxNewTokens(3).withAlternatives(2), 0);
    assertEquals(3, generation.tokens().size());
    for (GeneratedToken token : generation.tokens()) {
      assertEquals(2, token.alternatives().size());
      double first = token.alternatives().get(0).logProbability();
      assertTrue(first >= token.alternatives().get(1).logProbability());
      assertTrue(first < 0 && first >= token.chosen().logProbability());
    }
    assertEquals(generate(endless.withMaxNewTokens(3), 0).text(), generation.text());
  }

  @Test
  void generate_saysThatNothingIsAllowed() {
    Map<Integer, Double> none = new HashMap<>();
    for (int id = 0; id < tokenizer.vocabularySize(); id++) {
      none.put(id, Double.NEGATIVE_INFINITY);
    }
    assertEquals(
        FinishReason.NOTHING_ALLOWED, generate(endless.withLogitBias(none), 0).finishReason());
  }

  @Test
  void generateAsync_refusesWhenTooManyWaitAndIsCancelled() throws Exception {
    EngineConfig oneAndOneWaiting = EngineConfig.defaults().withMostSequences(1).withMostWaiting(1);
    CountDownLatch running = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    GenerationConfig blocking =
        endless.withLogitsProcessor(
            (tokens, logits) -> {
              running.countDown();
              try {
                release.await();
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
    try (Generator generator = new Generator(model(oneAndOneWaiting))) {
      CompletableFuture<Generation> first = generator.generateAsync("a", blocking);
      running.await();
      CompletableFuture<Generation> waiting = generator.generateAsync("a", endless);
      assertThrows(RejectedExecutionException.class, () -> generator.generateAsync("a", endless));
      assertTrue(waiting.cancel(true));
      CompletableFuture<Generation> last = generator.generateAsync("a", endless); // has its place
      release.countDown();
      assertEquals(first.get().text(), last.get().text());
    }
  }
}
