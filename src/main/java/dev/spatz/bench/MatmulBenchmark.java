package dev.spatz.bench;

import dev.spatz.kernel.CounterRandom;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.TensorArena;
import dev.spatz.kernel.Tensors;
import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The peak of the machine's matrix products: every thread multiplies two matrices of its own with
 * single-threaded kernels, as in training, all at the same time.
 */
final class MatmulBenchmark {
  private static final int SIZE = 1024;
  private static final Repetitions REPETITIONS = new Repetitions(20, 50);

  private MatmulBenchmark() {}

  /**
   * What came out.
   *
   * @param operationsPerSecond of all threads together, in the best round
   */
  record Result(Measurement measurement, double operationsPerSecond) {}

  static Result run(KernelBackend backend, int threads) throws InterruptedException {
    return run(backend, threads, SIZE, REPETITIONS);
  }

  static Result run(KernelBackend backend, int threads, int size, Repetitions repetitions)
      throws InterruptedException {
    Repetitions.requirePositive("threads", threads);
    List<Product> products = new ArrayList<>();
    try {
      for (int i = 0; i < threads; i++) {
        products.add(new Product(backend.create(), size, i));
      }
      double[] seconds = Rounds.seconds(List.copyOf(products), repetitions);
      double operations = 2.0 * size * size * size * threads;
      double best = operations / Measurement.least(seconds);
      Measurement measurement =
          Measurement.of(
              "matmul",
              Measurement.format(
                  "%d×%d×%d float32 on each thread, %s, %s",
                  size, size, size, backend, Measurement.threads(threads)),
              "round",
              seconds,
              Measurement.format(
                  "%,8.1f GFLOP/s, best %,.1f",
                  operations / Measurement.median(seconds) / 1e9, best / 1e9));
      return new Result(measurement, best);
    } finally {
      products.forEach(Product::close);
    }
  }

  /** One thread's matrices. */
  private static final class Product implements Runnable, AutoCloseable {
    private final Kernels kernels;
    private final TensorArena memory = new TensorArena();
    private final INDArray left;
    private final INDArray right;
    private final INDArray product;

    Product(Kernels kernels, int size, long seed) {
      this.kernels = kernels;
      CounterRandom random = CounterRandom.of(seed);
      this.left = random(size, random.child(0));
      this.right = random(size, random.child(1));
      this.product = memory.zeros(DataType.FLOAT, size, size);
    }

    private INDArray random(int size, CounterRandom random) {
      float[] values = new float[size * size];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) random.uniform(i) - 0.5f;
      }
      INDArray matrix = memory.zeros(DataType.FLOAT, size, size);
      Tensors.write(matrix, 0, values, 0, values.length);
      return matrix;
    }

    @Override
    public void run() {
      kernels.linear(left, right, null, null, product);
    }

    @Override
    public void close() {
      kernels.close();
      memory.close();
    }
  }
}
