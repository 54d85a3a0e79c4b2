package dev.spatz.kernel;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Every backward against central differences of its forward, in float64. */
class GradientTest {
  private static final double H = 1e-5;

  private final Random random = new Random(1);

  static Stream<Kernels> kernels() {
    return Stream.of(new Nd4jKernels(), new NaiveKernels());
  }

  private INDArray gaussian(long... shape) {
    INDArray array = Tensors.zeros(DataType.DOUBLE, shape);
    for (long i = 0; i < array.length(); i++) {
      Tensors.put(array, i, random.nextGaussian());
    }
    return array;
  }

  private static INDArray zeros(INDArray like) {
    return Tensors.zeros(DataType.DOUBLE, like.shape());
  }

  /**
   * Compares a gradient with the differences of Σ out·dOut.
   *
   * @param forward recomputes {@code out} from {@code input}
   */
  private static void check(
      String name,
      INDArray input,
      INDArray gradient,
      INDArray out,
      INDArray dOut,
      Runnable forward) {
    double largest = 0;
    double difference = 0;
    for (long i = 0; i < input.length(); i++) {
      double value = Tensors.get(input, i);
      Tensors.put(input, i, value + H);
      forward.run();
      double above = dot(out, dOut);
      Tensors.put(input, i, value - H);
      forward.run();
      double below = dot(out, dOut);
      Tensors.put(input, i, value);
      double numeric = (above - below) / (2 * H);
      largest = Math.max(largest, Math.abs(numeric));
      difference = Math.max(difference, Math.abs(numeric - Tensors.get(gradient, i)));
    }
    assertTrue(
        difference <= 1e-6 * largest,
        "%s differs by %g where the largest is %g".formatted(name, difference, largest));
  }

  private static double dot(INDArray a, INDArray b) {
    double[] x = Tensors.toDoubles(a);
    double[] y = Tensors.toDoubles(b);
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += x[i] * y[i];
    }
    return sum;
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void embedding(Kernels k) {
    int[] ids = {2, 0, 2, 1};
    int[] positions = {0, 1, 2, 0};
    INDArray tokens = gaussian(3, 5);
    INDArray table = gaussian(3, 5);
    INDArray out = gaussian(4, 5);
    INDArray dOut = gaussian(4, 5);
    INDArray dTokens = zeros(tokens);
    INDArray dTable = zeros(table);
    Runnable forward = () -> k.embed(ids, positions, tokens, table, out);
    k.embedBackward(dOut, ids, positions, dTokens, dTable);
    check("dTokens", tokens, dTokens, out, dOut, forward);
    check("dPositionTable", table, dTable, out, dOut, forward);
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void linear(Kernels k) {
    INDArray x = gaussian(3, 8);
    INDArray weight = gaussian(13, 8);
    INDArray bias = gaussian(13);
    INDArray residual = gaussian(3, 13);
    INDArray y = gaussian(3, 13);
    INDArray dY = gaussian(3, 13);
    INDArray dX = zeros(x);
    INDArray dWeight = zeros(weight);
    INDArray dBias = zeros(bias);
    Runnable forward = () -> k.linear(x, weight, bias, residual, y);
    k.linearBackward(dY, x, weight, dX, WriteMode.OVERWRITE, dWeight, dBias);
    check("dX", x, dX, y, dY, forward);
    check("dWeight", weight, dWeight, y, dY, forward);
    check("dBias", bias, dBias, y, dY, forward);
    check("dResidual", residual, dY, y, dY, forward);
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void lowRank(Kernels k) {
    INDArray x = gaussian(5, 8);
    INDArray a = gaussian(3, 8);
    INDArray b = gaussian(4, 3);
    INDArray base = gaussian(5, 13);
    INDArray y = gaussian(5, 13);
    INDArray dY = gaussian(5, 13);
    INDArray inner = gaussian(5, 3);
    INDArray dInner = gaussian(5, 3);
    INDArray dX = zeros(x);
    INDArray dA = zeros(a);
    INDArray dB = zeros(b);
    Runnable forward =
        () -> {
          Tensors.copy(base, y);
          k.lowRank(x, a, b, 0.7, 6, inner, y);
        };
    forward.run();
    k.lowRankBackward(dY, x, a, b, 0.7, 6, inner, dInner, dX, WriteMode.ADD, dA, dB);
    check("dX", x, dX, y, dY, forward);
    check("dA", a, dA, y, dY, forward);
    check("dB", b, dB, y, dY, forward);
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void layerNorm(Kernels k) {
    INDArray x = gaussian(3, 13);
    INDArray gain = gaussian(13);
    INDArray bias = gaussian(13);
    INDArray y = gaussian(3, 13);
    INDArray dY = gaussian(3, 13);
    INDArray mean = gaussian(3);
    INDArray deviation = gaussian(3);
    INDArray dX = zeros(x);
    INDArray dGain = zeros(gain);
    INDArray dBias = zeros(bias);
    Runnable forward = () -> k.layerNorm(x, gain, bias, 1e-5, y, mean, deviation);
    forward.run();
    k.layerNormBackward(dY, x, gain, mean, deviation, dX, dGain, dBias);
    check("dX", x, dX, y, dY, forward);
    check("dGain", gain, dGain, y, dY, forward);
    check("dBias", bias, dBias, y, dY, forward);
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void rmsNorm(Kernels k) {
    INDArray x = gaussian(3, 13);
    INDArray gain = gaussian(13);
    INDArray y = gaussian(3, 13);
    INDArray dY = gaussian(3, 13);
    INDArray inverse = gaussian(3);
    INDArray dX = zeros(x);
    INDArray dGain = zeros(gain);
    Runnable forward = () -> k.rmsNorm(x, gain, 1e-5, y, inverse);
    forward.run();
    k.rmsNormBackward(dY, x, gain, inverse, dX, dGain);
    check("dX", x, dX, y, dY, forward);
    check("dGain", gain, dGain, y, dY, forward);
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void queryKeyNorm(Kernels k) {
    AttentionShape shape = new AttentionShape(1, 4, 2, 5);
    INDArray x = gaussian(3, 40);
    INDArray queryGain = gaussian(5);
    INDArray keyGain = gaussian(5);
    INDArray y = gaussian(3, 40);
    INDArray dY = gaussian(3, 40);
    INDArray normalized = gaussian(3, 30);
    INDArray inverse = gaussian(3, 6);
    INDArray dX = zeros(x);
    INDArray dQueryGain = zeros(queryGain);
    INDArray dKeyGain = zeros(keyGain);
    Runnable forward =
        () -> {
          Tensors.copy(x, y);
          k.queryKeyNorm(y, shape, queryGain, keyGain, 1e-5, normalized, inverse);
        };
    forward.run();
    Tensors.copy(dY, dX);
    k.queryKeyNormBackward(
        dX, shape, queryGain, keyGain, normalized, inverse, dQueryGain, dKeyGain);
    check("dX", x, dX, y, dY, forward);
    check("dQueryGain", queryGain, dQueryGain, y, dY, forward);
    check("dKeyGain", keyGain, dKeyGain, y, dY, forward);
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void activations(Kernels k) {
    INDArray x = gaussian(8, 6);
    INDArray y = gaussian(8, 6);
    INDArray dY = gaussian(8, 6);
    INDArray dX = zeros(x);
    for (Gelu form : Gelu.values()) {
      k.geluBackward(form, dY, x, dX);
      check(form.toString(), x, dX, y, dY, () -> k.gelu(form, x, y));
    }
    INDArray half = gaussian(8, 3);
    INDArray dHalf = gaussian(8, 3);
    k.swiGluBackward(dHalf, x, dX);
    check("SwiGLU", x, dX, half, dHalf, () -> k.swiGlu(x, half));
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void dropout(Kernels k) {
    Dropout dropout = Dropout.of(0.4).moveTo(CounterRandom.of(2), 0, 1);
    INDArray x = gaussian(6, 3);
    INDArray y = gaussian(6, 3);
    INDArray dY = gaussian(6, 3);
    INDArray dX = dY.dup('c');
    k.dropout(dX, 2, dropout, dX);
    check("dX", x, dX, y, dY, () -> k.dropout(x, 2, dropout, y));
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void rotation(Kernels k) {
    int[] positions = {4, 0, 2};
    INDArray cosines = gaussian(5, 2);
    INDArray sines = gaussian(5, 2);
    for (int p = 0; p < 10; p++) {
      Tensors.put(cosines, p, Math.cos(p));
      Tensors.put(sines, p, Math.sin(p));
    }
    INDArray x = gaussian(3, 13);
    INDArray y = gaussian(3, 13);
    INDArray dY = gaussian(3, 13);
    INDArray dX = dY.dup('c');
    k.rotateBackward(dX, positions, 3, cosines, sines);
    check(
        "dX",
        x,
        dX,
        y,
        dY,
        () -> {
          Tensors.copy(x, y);
          k.rotate(y, positions, 3, cosines, sines);
        });
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void attention(Kernels k) {
    AttentionShape shape = new AttentionShape(5, 4, 2, 3);
    INDArray qkv = gaussian(10, 24);
    INDArray out = gaussian(10, 12);
    INDArray dOut = gaussian(10, 12);
    INDArray dQkv = zeros(qkv);
    for (double rate : new double[] {0, 0.3}) {
      Dropout dropout = Dropout.of(rate).moveTo(CounterRandom.of(4), 0, 3);
      Runnable forward = () -> k.attention(qkv, shape, dropout, out);
      forward.run();
      k.attentionBackward(dOut, qkv, out, shape, dropout, dQkv);
      check("dQkv", qkv, dQkv, out, dOut, forward);
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void crossEntropy(Kernels k) {
    int[] targets = {3, -1, 0, 12};
    INDArray x = gaussian(4, 8);
    INDArray weight = gaussian(13, 8);
    INDArray logits = gaussian(3, 13);
    INDArray dX = zeros(x);
    INDArray dWeight = zeros(weight);
    k.crossEntropy(x, weight, targets, 0.25, null, logits, null, dX, WriteMode.OVERWRITE, dWeight);
    INDArray loss = gaussian(1);
    INDArray quarter = zeros(loss);
    Tensors.put(quarter, 0, 0.25);
    Runnable forward =
        () ->
            Tensors.put(
                loss,
                0,
                k.crossEntropy(
                    x, weight, targets, 1, null, logits, null, null, WriteMode.ADD, null));
    check("dX", x, dX, loss, quarter, forward);
    check("dWeight", weight, dWeight, loss, quarter, forward);
  }
}
