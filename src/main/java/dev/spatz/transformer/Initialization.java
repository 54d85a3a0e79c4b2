package dev.spatz.transformer;

import dev.spatz.kernel.CounterRandom;
import dev.spatz.kernel.Tensors;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Random weights as nanoGPT draws them: matrices normal with standard deviation 0.02, those that
 * end a residual branch 0.02/√(2L), gains one, biases zero. Every matrix has a random stream of its
 * own, so that a layer more does not change the others.
 */
final class Initialization {
  private static final double DEVIATION = 0.02;
  private static final int BLOCK = 1 << 16;

  private Initialization() {}

  static void fill(ParameterSet parameters, TransformerConfig config, long seed) {
    CounterRandom random = CounterRandom.of(seed);
    double residual = DEVIATION / Math.sqrt(2.0 * config.layers());
    for (Parameter parameter : parameters.layout().parameters()) {
      String name = parameter.name();
      INDArray array = parameters.get(name);
      if (parameter.matrix()) {
        boolean endsBranch =
            name.endsWith(ParameterLayout.PROJECTION + ParameterLayout.WEIGHT)
                || name.endsWith(ParameterLayout.DOWN + ParameterLayout.WEIGHT);
        gaussian(array, endsBranch ? residual : DEVIATION, random.child(name.hashCode()));
      } else if (name.endsWith(ParameterLayout.GAIN)) {
        Tensors.fill(array, 1);
      }
    }
  }

  private static void gaussian(INDArray array, double deviation, CounterRandom random) {
    long length = array.length();
    double[] block = new double[(int) Math.min(length, BLOCK)];
    for (long from = 0; from < length; from += block.length) {
      int count = (int) Math.min(block.length, length - from);
      for (int i = 0; i < count; i++) {
        block[i] = deviation * random.gaussian(from + i);
      }
      Tensors.write(array, from, block, 0, count);
    }
  }
}
