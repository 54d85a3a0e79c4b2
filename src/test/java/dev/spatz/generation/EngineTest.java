package dev.spatz.generation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Tensors;
import dev.spatz.tokenizer.CharacterTokenizer;
import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.transformer.LoraAdapter;
import dev.spatz.transformer.LoraConfig;
import dev.spatz.transformer.LoraTarget;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.TransformerConfig;
import dev.spatz.transformer.WeightedAdapter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

/** Many callers: each gets the text that it gets alone, and none disturbs another. */
class EngineTest {
  private static final int THREADS = 32;
  private static final int REQUESTS = 6;

  private final Tokenizer tokenizer = CharacterTokenizer.of('a', 'b', 'c', ' ');
  private final Transformer transformer =
      Transformer.initialized(
          TransformerConfig.llama(tokenizer.vocabularySize(), 200, 2, 2, 16), DataType.FLOAT, 5);
  private final GenerationConfig config =
      GenerationConfig.defaults().withTemperature(2).withTopP(1).withStopAtEndOfText(false);

  private final LoraAdapter some = adapter(LoraConfig.defaults(), 0.2);
  private final LoraAdapter other =
      adapter(LoraConfig.defaults().withRank(3).withTargets(LoraTarget.VALUE), -0.2);

  @AfterEach
  void close() {
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

  /** Every token that is drawn has its character. */
  private GenerationConfig allCharacters(GenerationConfig given) {
    return given.withLogitBias(Map.of(tokenizer.endOfText(), Double.NEGATIVE_INFINITY));
  }

  private static String prompt(int number) {
    return "abc ".repeat(number % 5 * 8) + "ab".repeat(1 + number % 7);
  }

  private GenerationConfig config(int number) {
    return config
        .withSeed(number)
        .withMaxNewTokens(1 + number * 7 % 40)
        .withAdapters(adapters(number).toArray(WeightedAdapter[]::new));
  }

  /** Of every four texts two have an adapter each, one has both, and one none. */
  private List<WeightedAdapter> adapters(int number) {
    return switch (number % 4) {
      case 0 -> List.of();
      case 1 -> List.of(some.weighted(1));
      case 2 -> List.of(other.weighted(0.7));
      default -> List.of(some.weighted(0.5), other.weighted(-1));
    };
  }

  private LoraAdapter adapter(LoraConfig lora, double size) {
    try (Transformer adapted = transformer.adapted(lora, 0, 1)) {
      Tensors.fill(adapted.trained().flat(), size);
      return adapted.adapter(Map.of());
    }
  }

  /** Listeners, streams, futures; some of them fail or are cancelled. */
  private void request(Generator generator, int number, List<String> alone) throws Exception {
    String expected = alone.get(number);
    switch (number % 5) {
      case 0 ->
          assertEquals(
              expected, generator.generate(prompt(number), config(number), piece -> {}).text());
      case 1 -> {
        StringBuilder read = new StringBuilder();
        try (TextStream stream = generator.stream(prompt(number), config(number))) {
          stream.forEach(read::append);
        }
        assertEquals(expected, read.toString());
      }
      case 2 ->
          assertEquals(
              expected, generator.generateAsync(prompt(number), config(number)).get().text());
      case 3 -> {
        generator.generateAsync(prompt(number), config(number)).cancel(true);
        TextStream stream = generator.stream(prompt(number), config(number));
        stream.close();
        assertEquals(FinishReason.CANCELLED, stream.result().finishReason());
        assertTrue(expected.startsWith(stream.result().text()));
      }
      default -> {
        if (!expected.isEmpty()) { // else the listener hears nothing
          assertThrows(
              ArithmeticException.class,
              () ->
                  generator.generate(
                      prompt(number),
                      config(number),
                      piece -> {
                        throw new ArithmeticException();
                      }));
        }
      }
    }
  }

  private List<String> alone() {
    List<String> texts = new ArrayList<>();
    EngineConfig single = EngineConfig.defaults().withMostSequences(1).withPrefixCacheBytes(0);
    try (Generator generator = generator(single)) {
      for (int i = 0; i < THREADS * REQUESTS; i++) {
        texts.add(generator.generate(prompt(i), config(i), piece -> {}).text());
      }
    }
    return texts;
  }

  @Test
  void everyText_isTheOneGeneratedAlone() throws Exception {
    List<String> alone = alone();
    assertTrue(alone.stream().distinct().count() > THREADS);
    load(alone);
  }

  /** A generator, all requests at once, and its end. */
  private void load(List<String> alone) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    EngineConfig engine =
        EngineConfig.defaults().withMostSequences(20).withPrefixCacheBytes(100_000);
    try (Generator generator = generator(engine)) {
      List<Future<?>> futures = new ArrayList<>();
      for (int thread = 0; thread < THREADS; thread++) {
        int first = thread * REQUESTS;
        futures.add(
            threads.submit(
                () -> {
                  for (int i = first; i < first + REQUESTS; i++) {
                    request(generator, i, alone);
                  }
                  return null;
                }));
      }
      for (Future<?> future : futures) {
        future.get();
      }
      EngineStatistics statistics = generator.statistics();
      assertTrue(statistics.steps() < statistics.newTokens() / 2, statistics::toString);
      assertTrue(statistics.cachedPromptTokens() > 0, statistics::toString);
      assertTrue(statistics.prefixCacheBytes() <= 100_000, statistics::toString);
    } finally {
      threads.shutdown();
    }
  }

  @Test
  void generateAll_keepsTheOrder_evenWithFewPlaces() {
    List<String> prompts = IntStream.range(0, 12).mapToObj(EngineTest::prompt).toList();
    GenerationConfig same = config.withSeed(3).withMaxNewTokens(9);
    EngineConfig few = EngineConfig.defaults().withMostSequences(2).withMostWaiting(1);
    try (Generator generator = generator(few)) {
      List<Generation> all = generator.generateAll(prompts, same);
      for (int i = 0; i < prompts.size(); i++) {
        assertEquals(
            generator.generate(prompts.get(i), same, piece -> {}).text(), all.get(i).text());
      }
    }
  }

  @Test
  void prefix_isSharedInWholeBlocks() {
    String prompt = "abc ".repeat(40);
    try (Generator generator = generator(EngineConfig.defaults())) {
      GenerationConfig one = config.withSeed(1).withMaxNewTokens(5);
      Generation first = generator.generate(prompt, one, piece -> {});
      Generation second = generator.generate(prompt, one, piece -> {});
      assertEquals(0, first.cachedPromptTokens());
      assertEquals(128, second.cachedPromptTokens());
      assertEquals(first.text(), second.text());
      assertEquals(128, generator.statistics().cachedPromptTokens());
    }
  }

  /** A text goes on from what was written as from what was read, with and without adapters. */
  @Test
  void prefix_hasWhatWasWritten() {
    for (int number = 0; number < 4; number++) {
      GenerationConfig one = allCharacters(config(number)).withMaxNewTokens(80);
      try (Generator generator = generator(EngineConfig.defaults());
          Generator forgetful = generator(EngineConfig.defaults().withPrefixCacheBytes(0))) {
        String text = "abc " + generator.generate("abc ", one, piece -> {}).text();
        Generation second = generator.generate(text + "b", one, piece -> {});
        assertEquals(64, second.cachedPromptTokens());
        assertEquals(forgetful.generate(text + "b", one, piece -> {}).text(), second.text());
        Generation third = generator.generate(text + "b" + second.text() + "a", one);
        assertEquals(128, third.cachedPromptTokens());
      }
    }
  }

  /** Of texts that were cancelled or have failed too, as far as they have come. */
  @Test
  void prefix_hasWhatWasWritten_whereTheTextEndedEarly() {
    GenerationConfig one = allCharacters(config.withSeed(1)).withMaxNewTokens(150);
    StringBuilder read = new StringBuilder();
    RuntimeException enough = new ArithmeticException();
    try (Generator generator = generator(EngineConfig.defaults())) {
      assertThrows(
          ArithmeticException.class,
          () ->
              generator.generate(
                  "ab",
                  one,
                  piece -> {
                    read.append(piece);
                    if (read.length() == 70) {
                      throw enough;
                    }
                  }));
      String begun = "ab" + read;
      assertEquals(64, generator.generate(begun, one.withMaxNewTokens(1)).cachedPromptTokens());
      LogitsProcessor failing =
          (tokens, logits) -> {
            if (tokens.remaining() == 140) {
              throw enough;
            }
          };
      GenerationConfig other = one.withSeed(2);
      String whole = "ab" + generator.generate("ab", other).text();
      try (Generator another = generator(EngineConfig.defaults())) {
        assertThrows(
            ArithmeticException.class,
            () -> another.generate("ab", other.withLogitsProcessor(failing)));
        Generation after = another.generate(whole, one.withMaxNewTokens(1));
        assertEquals(128, after.cachedPromptTokens());
      }
    }
  }

  /** What is used again stays, and of a text the beginning longest. */
  @Test
  void prefix_isForgotten_lastBlocksFirst() {
    GenerationConfig one = config.withSeed(1).withMaxNewTokens(1);
    int block = (int) transformer.cacheBytes(64);
    EngineConfig two = EngineConfig.defaults().withPrefixCacheBytes(2L * block);
    try (Generator generator = generator(two)) {
      String first = "abc ".repeat(48); // three blocks, of which the last is at once forgotten
      generator.generate(first, one);
      assertEquals(2L * block, generator.statistics().prefixCacheBytes());
      assertEquals(128, generator.generate(first, one).cachedPromptTokens());
      generator.generate("cba ".repeat(17), one); // takes the place of the second
      assertEquals(64, generator.generate(first, one).cachedPromptTokens());
    }
  }

  @Test
  void prefix_isSharedByTextsOfTheSameAdaptersOnly() {
    String prompt = "abc ".repeat(40);
    try (Generator generator = generator(EngineConfig.defaults())) {
      GenerationConfig plain = config.withSeed(1).withMaxNewTokens(30);
      GenerationConfig adapted = plain.withAdapter(some);
      String text = generator.generate(prompt, plain, piece -> {}).text();
      Generation first = generator.generate(prompt, adapted, piece -> {});
      assertEquals(0, first.cachedPromptTokens());
      assertNotEquals(text, first.text());
      Generation second = generator.generate(prompt, adapted, piece -> {});
      assertEquals(128, second.cachedPromptTokens());
      assertEquals(first.text(), second.text());
      assertEquals(text, generator.generate(prompt, plain, piece -> {}).text());
    }
  }

  @Test
  void adapterOfAnotherModel_isRefused() {
    TransformerConfig wider = TransformerConfig.llama(tokenizer.vocabularySize(), 200, 2, 2, 32);
    try (Generator generator = generator(EngineConfig.defaults());
        Transformer model = Transformer.initialized(wider, DataType.FLOAT, 5);
        Transformer adapted = model.adapted(LoraConfig.defaults(), 0, 1)) {
      GenerationConfig foreign = config.withAdapter(adapted.adapter(Map.of()));
      String message =
          assertThrows(
                  IllegalArgumentException.class,
                  () -> generator.generate("a", foreign, piece -> {}))
              .getMessage();
      assertTrue(message.contains("for another model"), message);
    }
  }

  /** More adapters than are kept packed. */
  @Test
  void manyAdapters_areUsedOneAfterTheOther() {
    try (Generator generator = generator(EngineConfig.defaults())) {
      GenerationConfig one = config.withSeed(1).withMaxNewTokens(3);
      List<String> texts = new ArrayList<>();
      for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 12; i++) {
          GenerationConfig adapted = one.withAdapters(some.weighted(i));
          texts.add(generator.generate("abc", adapted, piece -> {}).text());
        }
      }
      assertEquals(texts.subList(0, 12), texts.subList(12, 24));
    }
  }

  @Test
  void memory_isRefused_whereATextCanNeverFit() {
    EngineConfig small = EngineConfig.defaults().withCacheBytes(transformer.cacheBytes(64));
    try (Generator generator = generator(small)) {
      generator.generate("a", config.withMaxNewTokens(5), piece -> {});
      String message =
          assertThrows(
                  IllegalArgumentException.class,
                  () -> generator.generate("a", config.withMaxNewTokens(100), piece -> {}))
              .getMessage();
      assertTrue(message.contains("cacheBytes ("), message);
    }
  }

  @Test
  void close_endsEveryCallerWithAnException() throws Exception {
    CountDownLatch running = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    GenerationConfig blocking =
        config.withLogitsProcessor(
            (tokens, logits) -> {
              running.countDown();
              try {
                release.await();
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
    Generator generator = generator(EngineConfig.defaults().withMostSequences(2));
    List<CompletableFuture<Generation>> futures = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      futures.add(generator.generateAsync("abc", blocking.withMaxNewTokens(100)));
    }
    running.await();
    Thread closing = new Thread(generator::close);
    closing.start();
    ExecutionException waiting = assertThrows(ExecutionException.class, () -> futures.get(4).get());
    assertEquals("the model is closed", waiting.getCause().getMessage());
    release.countDown();
    closing.join();
    for (CompletableFuture<Generation> future : futures) {
      Throwable cause = assertThrows(ExecutionException.class, future::get).getCause();
      assertInstanceOf(IllegalStateException.class, cause);
    }
    assertThrows(IllegalStateException.class, () -> generator.generateAsync("a", config));
  }
}
