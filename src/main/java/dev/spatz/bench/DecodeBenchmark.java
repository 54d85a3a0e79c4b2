package dev.spatz.bench;

import dev.spatz.generation.GenerationConfig;
import dev.spatz.generation.Sampler;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.Tensors;
import dev.spatz.transformer.Decoder;
import dev.spatz.transformer.KeyValueCache;
import dev.spatz.transformer.Transformer;
import java.util.function.Consumer;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * How fast one sequence is decoded, token by token with a cache of keys and values: a run is 200
 * tokens, the first after a prompt of one token, each drawn from the softmax of all logits.
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
   * @param report receives each measurement, that of the bandwidth first
   * @throws InterruptedException if the thread is interrupted
   */
  public static void run(BenchmarkPreset preset, Consumer<Measurement> report)
      throws InterruptedException {
    KernelBackend backend = KernelBackend.choose();
    double[] seconds = seconds(preset.workload(), TOKENS, backend);
    String peakMemory = PeakMemory.figure(); // before the bandwidth needs memory
    ReadBenchmark.Result read = ReadBenchmark.run(Runtime.getRuntime().availableProcessors());
    report.accept(read.measurement());
    report.accept(
        measurement(preset.workload(), backend, seconds, read.bytesPerSecond(), peakMemory));
  }

  static Measurement measurement(
      Workload workload,
      KernelBackend backend,
      double[] seconds,
      double bandwidth,
      String peakMemory) {
    double tokensPerSecond = 1 / Measurement.median(seconds);
    double bytesPerSecond =
        tokensPerSecond * workload.parametersPerToken() * DataType.FLOAT.width();
    return Measurement.of(
        "decode " + workload.name(),
        workload.describe() + ", " + backend + ", " + Measurement.threads(1),
        "token",
        seconds,
        Measurement.format("%,8.0f tokens/s", tokensPerSecond),
        Measurement.format("%,8.1f GB/s of weights", bytesPerSecond / 1e9),
        Measurement.format("%5.1f %% of read", 100 * bytesPerSecond / bandwidth),
        peakMemory);
  }

  /** Seconds a token, of each measured run. */
  static double[] seconds(Workload workload, int tokens, KernelBackend backend) {
    int vocabularySize = workload.model().vocabularySize();
    GenerationConfig sampling = GenerationConfig.defaults().withTemperature(1).withTopP(1);
    Sampler sampler = new Sampler(sampling, vocabularySize, SEED);
    float[] logits = new float[vocabularySize];
    double[] seconds = new double[workload.decoding().measured()];
    try (Transformer model = Transformer.initialized(workload.model(), DataType.FLOAT, SEED);
        Kernels kernels = backend.create();
        Decoder decoder = model.decoder();
        KeyValueCache cache = model.cache()) {
      for (int run = -workload.decoding().warmUp(); run < seconds.length; run++) {
        long start = System.nanoTime();
        decode(decoder, cache, kernels, sampler, tokens, logits);
        if (run >= 0) {
          seconds[run] = Rounds.since(start) / tokens;
        }
      }
    }
    return seconds;
  }

  private static void decode(
      Decoder decoder,
      KeyValueCache cache,
      Kernels kernels,
      Sampler sampler,
      int tokens,
      float[] logits) {
    cache.truncate(0);
    int token = 0;
    for (int i = 0; i < tokens; i++) {
      if (cache.room() == 0) {
        cache.truncate(0);
      }
      Tensors.read(decoder.accept(kernels, cache, token), 0, logits, 0, logits.length);
      token = sampler.sample(logits, i);
    }
  }
}
