package dev.spatz.generation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.constraint.Constraint;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.WeightPrecision;
import dev.spatz.tokenizer.CharacterTokenizer;
import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.TransformerConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Many callers of every kind at once. The whole of it, which takes minutes, is 64 threads of 50
 * requests, 10 rounds, each precision, and 1,000 models closed under load: {@code -Dspatz.load=50
 * -Dspatz.rounds=10 -Dspatz.closes=1000}.
 */
@Timeout(1800) // it hangs
class LoadTest {
  private static final int THREADS = 64;
  private static final int REQUESTS = Integer.getInteger("spatz.load", 2);
  private static final int ROUNDS = Integer.getInteger("spatz.rounds", 2);
  private static final int CLOSES = Integer.getInteger("spatz.closes", 12);

  private static final int PREFIX_BYTES = 300_000;
  private static final int HEAP_SLACK = 16 << 20;

  /** Less than a text's keys and values. */
  private static final int SLACK = 128 << 10;

  private static final Tokenizer TOKENIZER =
      CharacterTokenizer.of('a', 'b', 'c', ' ', 'ß', 0x1F426, '\n');
  private static final Constraint LETTERS = Constraint.regex("([abc]{2,5} )*ß?");
  private static final GenerationConfig CONFIG =
      GenerationConfig.defaults().withTemperature(2).withTopP(1).withStopStrings("aß", "cc");

  private static Transformer transformer() {
    return Transformer.initialized(
        TransformerConfig.llama(TOKENIZER.vocabularySize(), 300, 2, 2, 32), DataType.FLOAT, 5);
  }

  private static Generator generator(
      Transformer transformer, WeightPrecision precision, EngineConfig engine) {
    return new Generator(
        new ModelParts(
            new ModelLifetime(),
            KernelBackend.choose(),
            transformer,
            TOKENIZER,
            LoadOptions.defaults().withPrecision(precision).withEngine(engine)));
  }

  /** Many begin alike, with up to 196 tokens; others are short. */
  private static String prompt(int number) {
    return "abc ß".repeat(number % 4 * 13) + "abc".substring(number % 3);
  }

  private static GenerationConfig config(int number) {
    GenerationConfig config =
        CONFIG
            .withSeed(number)
            .withMaxNewTokens(1 + number * 7 % 60)
            .withStopAtEndOfText(number % 3 == 0);
    return number % 8 == 5 ? config.withConstraint(LETTERS) : config;
  }

  /** What a request of this number gives, written one at a time with nothing shared. */
  private static String alone(Generator generator, int number) {
    return number % 8 == 7
        ? scores(generator, number)
        : generator.generate(prompt(number), config(number), piece -> {}).text();
  }

  private static String scores(Generator generator, int number) {
    Scorer scorer = generator.scorer();
    return scorer.rank(prompt(number), List.of("a", "bc", "ßa b"), RankBy.GAIN).toString()
        + scorer.score("a", prompt(number))
        + scorer.embed(prompt(number), Pooling.MEAN)[0];
  }

  /**
   * Whether a text that was cancelled may be the beginning of another: it may have U+FFFD for a
   * character that it was cancelled in, and the beginning of a stop string that was not whole yet.
   */
  private static boolean isBeginning(String cancelled, String whole) {
    String sure = cancelled.replaceFirst("\uFFFD+$", "");
    return whole.startsWith(sure)
        || sure.startsWith(whole)
            && CONFIG.stopping().strings().stream()
                .anyMatch(stop -> stop.startsWith(sure.substring(whole.length())));
  }

  private static void request(Generator generator, int number, String expected) throws Exception {
    String prompt = prompt(number);
    GenerationConfig config = config(number);
    switch (number % 8) {
      case 0, 5 -> assertEquals(expected, generator.generate(prompt, config, piece -> {}).text());
      case 1 -> {
        StringBuilder read = new StringBuilder();
        try (TextStream stream = generator.stream(prompt, config)) {
          stream.forEach(read::append);
        }
        assertEquals(expected, read.toString());
      }
      case 2 -> assertEquals(expected, generator.generateAsync(prompt, config).get().text());
      case 3 -> {
        CompletableFuture<Generation> future = generator.generateAsync(prompt, config);
        TextStream stream = generator.stream(prompt, config);
        boolean empty = number % 16 == 3 && !stream.iterator().hasNext(); // read to its end, then
        stream.close();
        future.cancel(true);
        assertEquals(empty, stream.result().finishReason() != FinishReason.CANCELLED);
        assertTrue(!empty || expected.isEmpty());
        assertTrue(isBeginning(stream.result().text(), expected), stream.result().toString());
      }
      case 4 -> {
        LogitsProcessor failing =
            (tokens, logits) -> {
              throw new ArithmeticException("of " + number);
            };
        ArithmeticException thrown =
            assertThrows(
                ArithmeticException.class,
                () -> generator.generate(prompt, config.withLogitsProcessor(failing)));
        assertEquals("of " + number, thrown.getMessage());
      }
      case 6 ->
          generator
              .generateAll(List.of(prompt, prompt), config)
              .forEach(text -> assertEquals(expected, text.text()));
      default -> assertEquals(expected, scores(generator, number));
    }
  }

  @ParameterizedTest
  @EnumSource(WeightPrecision.class)
  void everyText_isTheOneGeneratedAlone_andNothingLeaks(WeightPrecision precision)
      throws Exception {
    assumePossible(precision);
    EngineConfig engine =
        EngineConfig.defaults().withMostSequences(40).withPrefixCacheBytes(PREFIX_BYTES);
    try (Transformer transformer = transformer();
        Generator generator = generator(transformer, precision, engine)) {
      List<String> alone = allAlone(transformer, precision);
      int rounds = precision == WeightPrecision.FLOAT32 ? ROUNDS : 1;
      long bound = Long.MAX_VALUE;
      long heapBound = Long.MAX_VALUE;
      for (int round = 0; round <= rounds; round++) { // the first is to warm up
        load(generator, alone);
        while (generator.statistics().running() > 0) { // its last steps
          Thread.onSpinWait();
        }
        EngineStatistics statistics = generator.statistics();
        assertEquals(0, statistics.waiting());
        assertTrue(statistics.prefixCacheBytes() <= PREFIX_BYTES, statistics::toString);
        long bytes = bytesOffHeap(bound);
        assertTrue(bytes <= bound, "after round " + round + ": " + bytes + " bytes off the heap");
        long heap = heapBytes(heapBound);
        assertTrue(heap <= heapBound, "the heap has grown from " + heapBound + " to " + heap);
        if (round == 0) {
          bound = bytes - statistics.prefixCacheBytes() + PREFIX_BYTES + SLACK;
          heapBound = heap + HEAP_SLACK;
        }
      }
    }
  }

  /** ND4J has a record of each array on the heap, which a thread of its own takes away. */
  private static long heapBytes(long bound) {
    Runtime jvm = Runtime.getRuntime();
    return least(bound, () -> jvm.totalMemory() - jvm.freeMemory());
  }

  private static long bytesOffHeap(long bound) {
    return least(bound, Pointer::totalBytes);
  }

  /** Tries to come down to a bound: what nobody holds is freed some time after a collection. */
  private static long least(long bound, LongSupplier bytes) {
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 5 || i < 200 && least > bound; i++) {
      System.gc();
      Pointer.deallocateReferences();
      least = Math.min(least, bytes.getAsLong());
    }
    return least;
  }

  private static void assumePossible(WeightPrecision precision) {
    try {
      precision.require(KernelBackend.choose());
    } catch (IllegalStateException e) {
      Assumptions.abort(e.getMessage());
    }
  }

  private static List<String> allAlone(Transformer transformer, WeightPrecision precision) {
    EngineConfig single = EngineConfig.defaults().withMostSequences(1).withPrefixCacheBytes(0);
    try (Generator generator = generator(transformer, precision, single)) {
      return IntStream.range(0, THREADS * REQUESTS)
          .mapToObj(number -> alone(generator, number))
          .toList();
    }
  }

  private static void load(Generator generator, List<String> alone) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    try {
      List<Future<?>> futures = new ArrayList<>();
      for (int thread = 0; thread < THREADS; thread++) {
        int first = thread;
        futures.add(
            threads.submit(
                () -> {
                  for (int i = first; i < alone.size(); i += THREADS) {
                    int number = (i + i / THREADS) % alone.size(); // of every kind
                    request(generator, number, alone.get(number));
                  }
                  return null;
                }));
      }
      for (Future<?> future : futures) {
        future.get();
      }
    } finally {
      threads.shutdown();
    }
  }

  /** Wherever the engine is, each caller gets the same clear exception, and all memory is freed. */
  @Test
  void close_underLoad_endsEveryCaller() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(8);
    try {
      closeUnderLoad(threads, 0);
      long bound = bytesOffHeap(Long.MAX_VALUE) + SLACK;
      for (int i = 1; i < CLOSES; i++) {
        closeUnderLoad(threads, i);
      }
      long bytes = bytesOffHeap(bound);
      assertTrue(bytes <= bound, "from at most " + bound + " bytes off the heap to " + bytes);
    } finally {
      threads.shutdown();
    }
    assertFalse(
        Thread.getAllStackTraces().keySet().stream()
            .anyMatch(thread -> thread.getName().startsWith("spatz-") && !thread.isDaemon()));
  }

  private static void closeUnderLoad(ExecutorService threads, int number) throws Exception {
    Transformer transformer = transformer();
    EngineConfig few = EngineConfig.defaults().withMostSequences(4);
    Generator generator = generator(transformer, WeightPrecision.FLOAT32, few);
    List<Future<Throwable>> callers = new ArrayList<>();
    for (int caller = 0; caller < 8; caller++) {
      int kind = caller % 4;
      callers.add(threads.submit(() -> callUntilRefused(generator, kind)));
    }
    long tokens = number * 17L % 97;
    while (generator.statistics().newTokens() < tokens) {
      Thread.onSpinWait();
    }
    generator.close();
    transformer.close();
    for (Future<Throwable> caller : callers) {
      Throwable end = caller.get();
      assertInstanceOf(IllegalStateException.class, end);
      assertEquals("the model is closed", end.getMessage());
    }
  }

  private static Throwable callUntilRefused(Generator generator, int kind) {
    GenerationConfig config = CONFIG.withMaxNewTokens(50);
    try {
      while (true) {
        switch (kind) {
          case 0 -> generator.generate("abc", config);
          case 1 -> {
            try (TextStream stream = generator.stream("abc ß".repeat(30), config)) {
              stream.forEach(piece -> {});
            }
          }
          case 2 -> generator.generateAsync("b", config).get();
          default -> scores(generator, 1);
        }
      }
    } catch (ExecutionException e) {
      return e.getCause();
    } catch (RuntimeException | InterruptedException e) {
      return e;
    }
  }
}
