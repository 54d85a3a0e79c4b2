package dev.spatz.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.dataset.Corpus;
import dev.spatz.generation.LoadOptions;
import dev.spatz.kernel.Gelu;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Precision;
import dev.spatz.kernel.WeightPrecision;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Every benchmark once, as small as possible: times differ, what follows from them does not. */
class BenchmarksTest {
  private static final double RELATIVE = 1e-9;
  private static final Repetitions FEW = new Repetitions(1, 3);
  private static final KernelBackend BACKEND = KernelBackend.choose();

  private static final Workload TINY =
      new Workload(
          "tiny",
          TransformerConfig.gpt2(7, 8, 1, 2, 8).withBiases(false).withGelu(Gelu.EXACT),
          3,
          new Repetitions(2, 4),
          FEW);

  @Test
  void rounds_runEveryTaskInEveryRepetition() throws InterruptedException {
    AtomicInteger first = new AtomicInteger();
    AtomicInteger second = new AtomicInteger();
    double[] seconds =
        Rounds.seconds(
            List.of(first::incrementAndGet, second::incrementAndGet), new Repetitions(2, 3));
    assertEquals(3, seconds.length);
    assertEquals(5, first.get());
    assertEquals(5, second.get());
  }

  @Test
  void rounds_failWithTheirTask() {
    Runnable failing =
        () -> {
          throw new IllegalArgumentException("broken");
        };
    Throwable cause =
        assertThrows(IllegalStateException.class, () -> Rounds.seconds(List.of(failing), FEW))
            .getCause();
    assertEquals("broken", cause.getMessage());
  }

  @Test
  void matmul_countsTheOperationsOfAllThreads() throws InterruptedException {
    MatmulBenchmark.Result result = MatmulBenchmark.run(BACKEND, 2, 16, FEW);
    double operations = 2 * 2.0 * 16 * 16 * 16;
    double expected = operations / (result.measurement().leastMillis() / 1e3);
    assertEquals(expected, result.operationsPerSecond(), RELATIVE * expected);
    assertTrue(result.measurement().configuration().endsWith(", 2 threads"));
  }

  @Test
  void read_countsTheBytesOfAllThreads() throws InterruptedException {
    ReadBenchmark.Result result = ReadBenchmark.run(3, 3 << 20, FEW);
    double expected = (3 << 20) / (result.measurement().leastMillis() / 1e3);
    assertEquals(expected, result.bytesPerSecond(), RELATIVE * expected);
    assertEquals("sum over 3 MiB, 3 threads", result.measurement().configuration());
  }

  @Test
  void buffer_isReadWhole() {
    ReadBenchmark.Buffer buffer = new ReadBenchmark.Buffer(1000);
    buffer.run();
    assertEquals(1000, buffer.sum());
    assertEquals(8000, buffer.bytes());
  }

  @Test
  void train_givesTheFiguresOfItsMedian() throws IOException {
    double peak = 1e9;
    Measurement train = TrainBenchmark.run(TINY, 5, 2, BACKEND, Precision.FLOAT32, peak);
    double tokens = 3 * 8 / (train.medianMillis() / 1e3);
    double operations = tokens * TINY.operationsPerToken();
    assertEquals("train tiny", train.name());
    assertEquals("step", train.unit());
    assertTrue(train.leastMillis() > 0 && train.leastMillis() <= train.medianMillis());
    assertTrue(train.configuration().contains("1 layers, 2 heads, 8 channels, context 8, batch 3"));
    assertEquals(
        List.of(
            Measurement.format("%,8.0f tokens/s", tokens),
            Measurement.format("%,8.1f GFLOP/s", operations / 1e9),
            Measurement.format("%5.1f %% of matmul", 100 * operations / peak)),
        train.figures().subList(0, 3));
    assertTrue(train.figures().get(3).contains("peak"));
  }

  private static final DecodeBenchmark.Decoding DECODING =
      new DecodeBenchmark.Decoding(1, 1, WeightPrecision.FLOAT32);

  /** 20 tokens with a context of 8: the sequence begins again, twice. */
  @Test
  void decode_goesOnWhenTheContextIsFull() {
    double[] seconds = DecodeBenchmark.seconds(TINY, DECODING, 20, BACKEND);
    assertEquals(3, seconds.length);
    assertTrue(Measurement.least(seconds) > 0);
  }

  /** 848 parameters that a token is multiplied with: 7·8 + 12·8² + 2·8 + 8, and no positions. */
  @Test
  void decode_givesTheFiguresOfItsMedian() {
    double[] seconds = {0.5, 0.25, 1};
    Measurement decode =
        DecodeBenchmark.measurement(TINY, DECODING, BACKEND, seconds, 1e5, "memory");
    assertEquals(500, decode.medianMillis());
    assertEquals(
        List.of("       2 tokens/s", "     0.0 GB/s of weights", "  6.8 % of read", "memory"),
        decode.figures());
    assertEquals(848, TINY.parametersPerToken());
  }

  @Test
  void serve_givesALineAMeasurement() throws InterruptedException {
    TransformerConfig model = TransformerConfig.llama(30, 96, 1, 2, 8);
    Workload small = new Workload("small", model, 1, FEW, FEW);
    List<Measurement> lines = new ArrayList<>();
    ServeBenchmark.run(small, 3, BACKEND, LoadOptions.defaults(), 12, lines::add);
    assertEquals(5, lines.size());
    double alone = 12 / (lines.get(0).medianMillis() / 1e3);
    double together = 3 * 12 / (lines.get(1).medianMillis() / 1e3);
    assertTrue(lines.get(1).configuration().endsWith("3 callers"));
    assertEquals(
        List.of(
            Measurement.format("%,8.0f tokens/s", together),
            Measurement.format("%5.2f x one caller's", together / alone)),
        lines.get(1).figures());
    assertTrue(lines.get(2).figures().get(1).endsWith("x the time without"));
    assertTrue(lines.get(4).figures().get(0).contains(" steps + the idle time"));
  }

  @Test
  void tokenize_givesALineForLearningAndOneForEncoding() throws IOException {
    List<Measurement> lines = new ArrayList<>();
    Corpus corpus = Corpus.of(List.of("the sparrow in the hand ", "the pigeon on the roof "));
    TokenizeBenchmark.run("birds", corpus, 2, FEW, lines::add);
    assertEquals(List.of("learn", "encode"), lines.stream().map(Measurement::name).toList());
    assertTrue(lines.get(0).configuration().endsWith("1 thread"), lines.get(0)::configuration);
    assertTrue(lines.get(1).configuration().endsWith("2 threads"), lines.get(1)::configuration);
    double speed = 47 / (lines.get(1).medianMillis() / 1e3) / 1e6; // bytes of the two texts
    assertEquals(List.of(Measurement.format("%,8.1f MB/s", speed)), lines.get(1).figures());
  }

  @Test
  void settings_outsideTheirRange_areRefused() {
    assertRefused(
        "steps (0) must be at least 1",
        () -> TrainBenchmark.run(BenchmarkPreset.CPU, 0, 1, Precision.FLOAT32, line -> {}));
    assertRefused(
        "threads (0) must be at least 1",
        () -> TrainBenchmark.run(BenchmarkPreset.CPU, 1, 0, Precision.FLOAT32, line -> {}));
    assertRefused(
        "callers (1) must be from 2 to 64",
        () -> ServeBenchmark.run(BenchmarkPreset.CPU, 1, 1, WeightPrecision.FLOAT32, line -> {}));
    assertRefused("threads (-1) must be at least 1", () -> ReadBenchmark.run(-1));
    assertRefused("repetitions (0) must be at least 1", () -> new Repetitions(1, 0));
    assertRefused("warm-up repetitions (0) must be at least 1", () -> new Repetitions(0, 1));
    assertRefused(
        "threads (0) must be at least 1",
        () -> TokenizeBenchmark.run("text", Corpus.of(List.of("a")), 0, line -> {}));
    assertRefused(
        "nothing has no text to measure with",
        () -> TokenizeBenchmark.run("nothing", Corpus.of(List.of("")), 1, line -> {}));
  }

  private static void assertRefused(String message, Executable call) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, call).getMessage());
  }
}
