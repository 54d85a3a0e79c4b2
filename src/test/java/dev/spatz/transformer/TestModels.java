package dev.spatz.transformer;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.spatz.kernel.CounterRandom;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.Tensors;
import dev.spatz.kernel.WeightPrecision;
import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Models, batches and measures that the tests of this package share. */
final class TestModels {
  private TestModels() {}

  /**
   * A model whose parameters are all random, gains and biases too, and larger than initial ones: no
   * term is too small to be seen.
   */
  static Transformer random(TransformerConfig config, DataType type, long seed) {
    Transformer model = Transformer.zeros(config, type);
    CounterRandom random = CounterRandom.of(seed);
    for (Parameter parameter : model.parameters().layout().parameters()) {
      CounterRandom stream = random.child(parameter.offset());
      double mean = parameter.name().endsWith(".gain") ? 1 : 0;
      double deviation = parameter.matrix() ? 1 / Math.sqrt(parameter.columns()) : 0.3;
      double[] values = new double[Math.toIntExact(parameter.size())];
      Arrays.setAll(values, i -> mean + deviation * stream.gaussian(i));
      INDArray array = model.parameters().get(parameter.name());
      Tensors.write(array, 0, values, 0, values.length);
    }
    return model;
  }

  /** Makes every parameter of a set not a number; the gaps between them stay zero. */
  static void spoil(ParameterSet set) {
    for (Parameter parameter : set.layout().parameters()) {
      Tensors.fill(set.get(parameter.name()), Double.NaN);
    }
  }

  /** The dropout of a pass over a model without an adapter. */
  static DropoutSites dropout(
      TransformerConfig config, double rate, CounterRandom step, long firstSequence) {
    return new DropoutSites(rate, 0, config.layers(), 0).moveTo(step, firstSequence);
  }

  /** Random token ids. */
  static int[] ids(int count, int vocabularySize, long seed) {
    CounterRandom random = CounterRandom.of(seed);
    int[] ids = new int[count];
    Arrays.setAll(ids, i -> (int) random.below(i, vocabularySize));
    return ids;
  }

  /** Random targets, one in five not counted. */
  static int[] targets(int count, int vocabularySize, long seed) {
    CounterRandom uncounted = CounterRandom.of(seed).child(1);
    int[] targets = ids(count, vocabularySize, seed);
    Arrays.setAll(targets, i -> uncounted.uniform(i) < 0.2 ? -1 : targets[i]);
    return targets;
  }

  /** One over the number of counted targets. */
  static double scale(int[] targets) {
    return 1.0 / Arrays.stream(targets).filter(target -> target >= 0).count();
  }

  /** The head's weights (V,C). */
  static INDArray head(Transformer model) {
    return model.parameters().get(model.config().tiedEmbeddings() ? "tokens" : "head");
  }

  /** The logits (R,V) of every position of an uncached pass. */
  static double[] logits(Kernels kernels, Transformer model, int[] ids, int sequences) {
    int vocabularySize = model.config().vocabularySize();
    try (Workspace workspace = model.workspace(sequences, ids.length / sequences);
        INDArray logits = Tensors.zeros(model.dataType(), ids.length, vocabularySize)) {
      model.loss(kernels, workspace, ids, ids, null);
      kernels.linear(workspace.activations.norm.values(), head(model), null, null, logits);
      return Tensors.toDoubles(logits);
    }
  }

  /** Skips where the processor has no instructions for it. */
  static void assumePossible(WeightPrecision precision) {
    try {
      precision.require(KernelBackend.choose());
    } catch (IllegalStateException e) {
      assumeTrue(false, e.getMessage());
    }
  }

  /**
   * max|a − b| / max|b|: the measure of every comparison of this package. Not a number where either
   * holds one; infinite where all of {@code b} is zero and {@code a} is not.
   */
  static double relativeError(double[] a, double[] b) {
    if (a.length != b.length) {
      throw new IllegalArgumentException(a.length + " values cannot be " + b.length);
    }
    double difference = 0;
    double largest = 0;
    for (int i = 0; i < a.length; i++) {
      difference = Math.max(difference, Math.abs(a[i] - b[i]));
      largest = Math.max(largest, Math.abs(b[i]));
    }
    return difference == 0 ? 0 : difference / largest;
  }
}
