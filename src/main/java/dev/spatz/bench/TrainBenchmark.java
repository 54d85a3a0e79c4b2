package dev.spatz.bench;

import dev.spatz.dataset.Dataset;
import dev.spatz.kernel.CounterRandom;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Precision;
import dev.spatz.optimizer.AdamWConfig;
import dev.spatz.training.Cancellation;
import dev.spatz.training.StepReport;
import dev.spatz.training.Trainer;
import dev.spatz.training.TrainingConfig;
import dev.spatz.training.TrainingListener;
import dev.spatz.transformer.Transformer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * How fast a model trains, on random ids: whole steps of the {@link Trainer} (data, forward,
 * backward, clipping, AdamW), one after the other, without evaluations in between.
 *
 * <p>A step's time is from the end of the step before to its own end. The peak memory is that of
 * the process, with all that a training needs: also the copy of the best weights.
 */
public final class TrainBenchmark {
  private static final int DATA = 1 << 20;
  private static final long SEED = 1;
  private static final double LEARNING_RATE = 1e-3;
  private static final double NANOS = 1e9;

  private TrainBenchmark() {}

  /** The steps that are measured where nothing else is asked. */
  public static int defaultSteps(BenchmarkPreset preset) {
    return preset.workload().training().measured();
  }

  /**
   * Measures the matrix product as the machine's peak, and then training.
   *
   * @param steps measured steps, at least 1; warm-up steps come before them
   * @param threads of both, at least 1
   * @param precision of the training; the peak is of float32
   * @param report receives each measurement when it is there
   * @throws IOException if the ids cannot be written into a temporary file
   * @throws InterruptedException if the thread is interrupted
   * @throws IllegalArgumentException if steps or threads are not positive
   * @throws IllegalStateException if the precision is not possible here
   */
  public static void run(
      BenchmarkPreset preset,
      int steps,
      int threads,
      Precision precision,
      Consumer<Measurement> report)
      throws IOException, InterruptedException {
    Repetitions.requirePositive("steps", steps);
    KernelBackend backend = KernelBackend.choose();
    Precision resolved = precision.resolve(backend, preset.workload().model().channels());
    MatmulBenchmark.Result matmul = MatmulBenchmark.run(backend, threads);
    report.accept(matmul.measurement());
    report.accept(
        run(preset.workload(), steps, threads, backend, resolved, matmul.operationsPerSecond()));
  }

  static Measurement run(
      Workload workload,
      int steps,
      int threads,
      KernelBackend backend,
      Precision precision,
      double peak)
      throws IOException {
    double[] seconds = seconds(workload, steps, threads, backend, precision);
    double tokensPerSecond = workload.tokensPerStep() / Measurement.median(seconds);
    double operationsPerSecond = tokensPerSecond * workload.operationsPerToken();
    return Measurement.of(
        "train " + workload.name(),
        Measurement.format(
            "%s, batch %d, %s %s, %s",
            workload.describe(),
            workload.batchSize(),
            backend,
            precision,
            Measurement.threads(threads)),
        "step",
        seconds,
        Measurement.format("%,8.0f tokens/s", tokensPerSecond),
        Measurement.format("%,8.1f GFLOP/s", operationsPerSecond / 1e9),
        Measurement.format("%5.1f %% of matmul", 100 * operationsPerSecond / peak),
        PeakMemory.figure());
  }

  private static double[] seconds(
      Workload workload, int steps, int threads, KernelBackend backend, Precision precision)
      throws IOException {
    int vocabularySize = workload.model().vocabularySize();
    int warmUp = workload.training().warmUp();
    int allSteps = warmUp + steps;
    TrainingConfig config =
        TrainingConfig.defaults()
            .withModel(workload.model())
            .withBatchSize(workload.batchSize())
            .withSteps(allSteps)
            .withOptimizer(AdamWConfig.defaults())
            .withLearningRate(LEARNING_RATE)
            .withWarmupSteps(0)
            .withEvaluationInterval(allSteps)
            .withSeed(SEED)
            .withThreads(threads)
            .withPrecision(precision);
    List<Double> elapsed = new ArrayList<>();
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void stepDone(StepReport step) {
            elapsed.add(step.elapsed().toNanos() / NANOS);
          }
        };
    try (Dataset data = randomIds(vocabularySize, workload.model().contextLength());
        Transformer model = Transformer.initialized(workload.model(), DataType.FLOAT, SEED);
        Trainer trainer = Trainer.create(model, data, config, backend)) {
      trainer.run(listener, new Cancellation());
    }
    double[] seconds = new double[steps];
    for (int i = 0; i < steps; i++) {
      seconds[i] = elapsed.get(warmUp + i) - elapsed.get(warmUp + i - 1);
    }
    return seconds;
  }

  /** As much to measure with as a trainer must have: one input and its target. */
  private static Dataset randomIds(int vocabularySize, int contextLength) throws IOException {
    CounterRandom random = CounterRandom.of(SEED);
    int[] train = new int[Math.max(DATA, 2 * contextLength)];
    for (int i = 0; i < train.length; i++) {
      train[i] = (int) random.below(i, vocabularySize);
    }
    return Dataset.ofIds(train, new int[] {train[0], train[1]}, vocabularySize);
  }
}
