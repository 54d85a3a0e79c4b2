package dev.spatz.bench;

import dev.spatz.constraint.Constraint;
import dev.spatz.generation.Generation;
import dev.spatz.generation.GenerationConfig;
import dev.spatz.generation.Generator;
import dev.spatz.generation.LoadOptions;
import dev.spatz.generation.ModelLifetime;
import dev.spatz.generation.ModelParts;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.WeightPrecision;
import dev.spatz.tokenizer.CharacterTokenizer;
import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.transformer.Decoder;
import dev.spatz.transformer.Transformer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * How fast a model serves applications: texts of 200 tokens after a prompt of 16, through the
 * engine that all callers share, each token drawn by the default settings.
 *
 * <ul>
 *   <li>one caller, and several at once, each asking for three texts one after the other
 *   <li>one caller whose texts must match a regular expression, beside the same without: by turns
 *   <li>how long a newcomer with a prompt of 64 tokens waits for his first token while the others
 *       write, beside the same alone, and in steps: the time between two tokens of the others
 * </ul>
 */
public final class ServeBenchmark {
  private static final long SEED = 1;
  private static final int PROMPT = 16;
  private static final int TOKENS = 200;
  private static final int TEXTS = 3;
  private static final int NEWCOMERS_PROMPT = 64;
  private static final long POLL_NANOS = 200_000;

  private ServeBenchmark() {}

  /**
   * Measures serving.
   *
   * @param callers at once, 2 to 64
   * @param threads that read the weights together
   * @param report receives each measurement
   * @throws IllegalArgumentException if callers or threads are out of range
   * @throws IllegalStateException if the precision is not possible here
   * @throws InterruptedException if the thread is interrupted
   */
  public static void run(
      BenchmarkPreset preset,
      int callers,
      int threads,
      WeightPrecision precision,
      Consumer<Measurement> report)
      throws InterruptedException {
    if (callers < 2 || callers > Decoder.MOST_SEQUENCES) {
      throw new IllegalArgumentException(
          Measurement.format("callers (%d) must be from 2 to %d", callers, Decoder.MOST_SEQUENCES));
    }
    KernelBackend backend = KernelBackend.choose();
    precision.require(backend);
    LoadOptions options = LoadOptions.defaults().withThreads(threads).withPrecision(precision);
    run(preset.workload(), callers, backend, options, TOKENS, report);
  }

  static void run(
      Workload workload,
      int callers,
      KernelBackend backend,
      LoadOptions options,
      int tokens,
      Consumer<Measurement> report)
      throws InterruptedException {
    Tokenizer tokenizer = tokenizer(workload.model().vocabularySize());
    try (Transformer model = Transformer.initialized(workload.model(), DataType.FLOAT, SEED);
        Generator generator =
            new Generator(
                new ModelParts(new ModelLifetime(), backend, model, tokenizer, options))) {
      Run run = new Run(workload, generator, tokenizer, options, backend, tokens);
      run.throughput(callers, report);
      run.constrained(report);
      run.newcomer(callers, report);
    }
  }

  /** One id a character, and one for the end. */
  private static Tokenizer tokenizer(int vocabularySize) {
    return CharacterTokenizer.of(
        IntStream.iterate('A', c -> c + 1)
            .filter(c -> !Character.isSurrogate((char) c) || c > Character.MAX_VALUE)
            .limit(vocabularySize - 1L)
            .toArray());
  }

  /** The measurements of one model. */
  private record Run(
      Workload workload,
      Generator generator,
      Tokenizer tokenizer,
      LoadOptions options,
      KernelBackend backend,
      int tokens) {

    private GenerationConfig config(long seed) {
      return GenerationConfig.defaults()
          .withSeed(seed)
          .withMaxNewTokens(tokens)
          .withLogitBias(Map.of(tokenizer.endOfText(), Double.NEGATIVE_INFINITY));
    }

    /** Different for each number, so that no beginning is known. */
    private String prompt(int number, int length) {
      StringBuilder prompt = new StringBuilder();
      for (int i = 0; i < length; i++) {
        prompt.append((char) ('A' + (i == 0 ? number : i) % 20));
      }
      return prompt.toString();
    }

    /** One caller, and several; by turns, since machines have moods. */
    private void throughput(int callers, Consumer<Measurement> report) throws InterruptedException {
      double[] alone = new double[workload.decoding().measured()];
      double[] together = new double[alone.length];
      for (int round = -workload.decoding().warmUp(); round < alone.length; round++) {
        double one = texts(1);
        double several = texts(callers);
        if (round >= 0) {
          alone[round] = one;
          together[round] = several;
        }
      }
      report.accept(throughput("1 caller", alone, 1, alone));
      report.accept(throughput(callers + " callers", together, callers, alone));
    }

    /** Seconds a text, where each caller asks for a few, one after the other. */
    private double texts(int callers) throws InterruptedException {
      List<Runnable> tasks = new ArrayList<>();
      for (int caller = 0; caller < callers; caller++) {
        int number = caller;
        tasks.add(
            () -> {
              for (int text = 0; text < TEXTS; text++) {
                generator.generate(prompt(number, PROMPT), config(number + 100L * text));
              }
            });
      }
      return Rounds.seconds(tasks, new Repetitions(1, 1))[0] / TEXTS;
    }

    private Measurement throughput(String who, double[] seconds, int callers, double[] alone) {
      double perSecond = callers * tokens / Measurement.median(seconds);
      double alonePerSecond = tokens / Measurement.median(alone);
      return measurement(
          who,
          "text",
          seconds,
          Measurement.format("%,8.0f tokens/s", perSecond),
          Measurement.format("%5.2f x one caller's", perSecond / alonePerSecond));
    }

    private Measurement measurement(String who, String unit, double[] seconds, String... figures) {
      String configuration =
          Measurement.format(
              "%.1f M, %s, %s, %s, %s",
              workload.model().parameterCount() / 1e6,
              backend,
              Measurement.threads(options.threads()),
              options.precision(),
              who);
      return Measurement.of("serve " + workload.name(), configuration, unit, seconds, figures);
    }

    private void constrained(Consumer<Measurement> report) {
      Constraint letters = Constraint.regex("[^\\n]*");
      double[] free = new double[workload.decoding().measured()];
      double[] bound = new double[free.length];
      for (int round = -workload.decoding().warmUp(); round < free.length; round++) {
        double freely = seconds(config(round));
        double bounded = seconds(config(round).withConstraint(letters));
        if (round >= 0) {
          free[round] = freely;
          bound[round] = bounded;
        }
      }
      double ratio = Measurement.median(bound) / Measurement.median(free);
      report.accept(
          measurement(
              "1 caller, regex",
              "text",
              bound,
              Measurement.format("%,8.0f tokens/s", tokens / Measurement.median(bound)),
              Measurement.format("%5.2f x the time without", ratio)));
    }

    private double seconds(GenerationConfig config) {
      long start = System.nanoTime();
      generator.generate(prompt(0, PROMPT), config);
      return Rounds.since(start);
    }

    private void newcomer(int callers, Consumer<Measurement> report) {
      int count = workload.decoding().measured();
      double[] alone = new double[count];
      for (int i = -workload.decoding().warmUp(); i < count; i++) {
        double seconds = first(100 + i);
        if (i >= 0) {
          alone[i] = seconds;
        }
      }
      double[] underLoad = new double[count];
      double[] inSteps = new double[count];
      for (int i = 0; i < count; i++) {
        List<CompletableFuture<Generation>> others = new ArrayList<>();
        for (int caller = 0; caller < callers; caller++) {
          others.add(generator.generateAsync(prompt(caller, PROMPT), config(caller)));
        }
        double step = step(others, tokens / 4);
        underLoad[i] = first(200 + i);
        inSteps[i] = (underLoad[i] - Measurement.median(alone)) / step;
        others.forEach(text -> text.cancel(false));
        while (generator.statistics().running() > 0) {
          LockSupport.parkNanos(POLL_NANOS);
        }
      }
      report.accept(
          measurement(
              "newcomer, idle", "first", alone, Measurement.format("%d tokens", NEWCOMERS_PROMPT)));
      report.accept(
          measurement(
              "newcomer, " + callers + " callers",
              "first",
              underLoad,
              Measurement.format(
                  "%5.2f steps + the idle time (at most %.2f)",
                  Measurement.median(inSteps),
                  IntStream.range(0, count).mapToDouble(k -> inSteps[k]).max().orElseThrow())));
    }

    /** Seconds to the first token. */
    private double first(int number) {
      long start = System.nanoTime();
      generator.generate(prompt(number, NEWCOMERS_PROMPT), config(number).withMaxNewTokens(1));
      return Rounds.since(start);
    }

    /** Seconds of a step, from so many of all callers together; they write on. */
    private double step(List<CompletableFuture<Generation>> others, int steps) {
      CompletableFuture<Generation> first = others.get(0);
      while (generator.statistics().running() < others.size() && !first.isDone()) {
        Thread.onSpinWait();
      }
      long before = generator.statistics().steps();
      long start = System.nanoTime();
      long after = before;
      while (after < before + steps && !first.isDone()) {
        LockSupport.parkNanos(POLL_NANOS);
        after = generator.statistics().steps();
      }
      return Rounds.since(start) / Math.max(1, after - before);
    }
  }
}
