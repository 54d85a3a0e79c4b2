package dev.spatz.bench;

import dev.spatz.generation.GenerationConfig;
import dev.spatz.generation.Sampler;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.Tensors;
import dev.spatz.kernel.WeightPrecision;
import dev.spatz.transformer.Decoder;
import dev.spatz.transformer.InferenceWeights;
import dev.spatz.transformer.KeyValueCache;
import dev.spatz.transformer.Transformer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * How fast sequences are decoded, one or several together, token by token with a cache of keys and
 * values: a run is 200 tokens, after runs that let the JVM compile, the first after a prompt of one
 * token, each drawn from the softmax of all logits.
 *
 * <p>When the context is full, the sequence begins again with the last token as its prompt; so a
 * model whose context is shorter than the run attends to half a context on average.
 *
 * <p>Each token reads all weights but the position embeddings. Their bytes per second are held
 * against the bandwidth at which all threads together read memory that is in no cache; a model that
 * is small enough to stay in the caches may exceed it.
 */
public final class DecodeBenchmark {
  private static final int TOKENS = 200;
  private static final long SEED = 1;

  private DecodeBenchmark() {}

  /**
   * Measures decoding, and then the bandwidth of reading memory.
   *
   * @param sequences decoded together, 1 to 64
   * @param threads that read the weights together
   * @param precision of the weights
   * @param report receives each measurement, that of the bandwidth first
   * @throws IllegalArgumentException if sequences or threads are out of range
   * @throws IllegalStateException if the precision is not possible here
   * @throws InterruptedException if the thread is interrupted
   */
  public static void run(
      BenchmarkPreset preset,
      int sequences,
      int threads,
      WeightPrecision precision,
      Consumer<Measurement> report)
      throws InterruptedException {
    if (sequences < 1 || sequences > Decoder.MOST_SEQUENCES) {
      throw new IllegalArgumentException(
          Measurement.format(
              "sequences (%d) must be from 1 to %d", sequences, Decoder.MOST_SEQUENCES));
    }
    KernelBackend backend = KernelBackend.choose();
    Decoding decoding = new Decoding(sequences, threads, precision);
    double[] seconds = seconds(preset.workload(), decoding, TOKENS, backend);
    String peakMemory = PeakMemory.figure(); // before the bandwidth needs memory
    ReadBenchmark.Result read = ReadBenchmark.run(Runtime.getRuntime().availableProcessors());
    report.accept(read.measurement());
    report.accept(
        measurement(
            preset.workload(), decoding, backend, seconds, read.bytesPerSecond(), peakMemory));
  }

  /** How the workload's model is decoded. */
  record Decoding(int sequences, int threads, WeightPrecision precision) {
    String describe() {
      String together =
          sequences == 1 ? "" : Measurement.format("%d sequences together, ", sequences);
      return together + Measurement.threads(threads) + ", " + precision;
    }
  }

  static Measurement measurement(
      Workload workload,
      Decoding decoding,
      KernelBackend backend,
      double[] seconds,
      double bandwidth,
      String peakMemory) {
    double passesPerSecond = 1 / Measurement.median(seconds);
    double bytesPerSecond =
        passesPerSecond * workload.parametersPerToken() * decoding.precision().bytes();
    return Measurement.of(
        "decode " + workload.name(),
        workload.describe() + ", " + backend + ", " + decoding.describe(),
        decoding.sequences() == 1 ? "token" : "pass",
        seconds,
        Measurement.format("%,8.0f tokens/s", passesPerSecond * decoding.sequences()),
        Measurement.format("%,8.1f GB/s of weights", bytesPerSecond / 1e9),
        Measurement.format("%5.1f %% of read", 100 * bytesPerSecond / bandwidth),
        peakMemory);
  }

  /** Seconds a token of each sequence, of each measured run. */
  static double[] seconds(Workload workload, Decoding decoding, int tokens, KernelBackend backend) {
    double[] seconds = new double[workload.decoding().measured()];
    try (Transformer model = Transformer.initialized(workload.model(), DataType.FLOAT, SEED);
        InferenceWeights weights =
            model.inferenceWeights(backend, decoding.threads(), decoding.precision());
        Run run = new Run(model, weights, decoding.sequences(), backend)) {
      for (int i = -workload.decoding().warmUp(); i < seconds.length; i++) {
        long start = System.nanoTime();
        run.decode(tokens);
        if (i >= 0) {
          seconds[i] = Rounds.since(start) / tokens;
        }
      }
    }
    return seconds;
  }

  /** The memory and state of decoding some sequences. */
  private static final class Run implements AutoCloseable {
    private final Kernels kernels;
    private final Decoder decoder;
    private final List<KeyValueCache> caches = new ArrayList<>();
    private final Sampler sampler;
    private final float[] logits;
    private final int[] ids;

    Run(Transformer model, InferenceWeights weights, int sequences, KernelBackend backend) {
      int vocabularySize = model.config().vocabularySize();
      GenerationConfig sampling = GenerationConfig.defaults().withTemperature(1).withTopP(1);
      kernels = backend.create();
      decoder = model.decoder(weights);
      for (int i = 0; i < sequences; i++) {
        caches.add(model.cache());
      }
      sampler = new Sampler(sampling, vocabularySize, SEED);
      logits = new float[vocabularySize];
      ids = new int[sequences];
    }

    void decode(int tokens) {
      caches.forEach(cache -> cache.truncate(0));
      Arrays.fill(ids, 0);
      for (int i = 0; i < tokens; i++) {
        if (caches.get(0).room() == 0) {
          caches.forEach(cache -> cache.truncate(0));
        }
        INDArray all =
            ids.length == 1
                ? decoder.accept(kernels, caches.get(0), ids)
                : decoder.acceptEach(kernels, caches, ids);
        for (int sequence = 0; sequence < ids.length; sequence++) {
          Tensors.read(all, (long) sequence * logits.length, logits, 0, logits.length);
          ids[sequence] = sampler.sample(logits, i * ids.length + sequence);
        }
      }
    }

    @Override
    public void close() {
      caches.forEach(KeyValueCache::close);
      decoder.close();
      kernels.close();
    }
  }
}
