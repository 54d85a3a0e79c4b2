package dev.spatz.kernel;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What the benchmarks of the kernels share: a backend, on one thread, and float32 arrays of random
 * values. Their sizes are those of one shard of a training step of {@code bench train --preset
 * baby}: 8 sequences of 256 positions, 384 channels, 6 heads.
 *
 * <p>To run them, all or those whose names match a pattern, on every backend or on one:
 *
 * <pre>{@code
 * mvn -q -Pjmh test-compile exec:exec -Djmh.args=dev.spatz
 * mvn -q -Pjmh test-compile exec:exec -Djmh.args="Matmul -p backend=ND4J"
 * }</pre>
 *
 * <p>A backend that does not work on the machine fails at its first benchmark, and JMH goes on with
 * the others.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public abstract class KernelBenchmark {
  static final int SEQUENCES = 8;
  static final int TIME = 256;
  static final int ROWS = SEQUENCES * TIME;
  static final int HEADS = 6;
  static final int CHANNELS = 384;
  static final int HIDDEN = 4 * CHANNELS;

  /** Without values: all there are. */
  @Param public KernelBackend backend;

  Kernels kernels;
  private final List<INDArray> arrays = new ArrayList<>();

  /** Makes the kernels and the arrays. */
  @Setup(Level.Trial)
  public void open() {
    kernels = backend.create();
    prepare();
  }

  /** Makes the arrays of a benchmark. */
  abstract void prepare();

  /** An array of numbers from −½ to ½. */
  INDArray random(long... shape) {
    INDArray array = zeros(shape);
    CounterRandom random = CounterRandom.of(arrays.size());
    float[] values = new float[Math.toIntExact(array.length())];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.uniform(i) - 0.5f;
    }
    Tensors.write(array, 0, values, 0, values.length);
    return array;
  }

  INDArray zeros(long... shape) {
    INDArray array = Tensors.zeros(DataType.FLOAT, shape);
    arrays.add(array);
    return array;
  }

  /** Frees everything. */
  @TearDown(Level.Trial)
  public void close() {
    kernels.close();
    arrays.forEach(INDArray::close);
  }
}
