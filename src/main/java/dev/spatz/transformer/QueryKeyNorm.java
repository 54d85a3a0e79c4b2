package dev.spatz.transformer;

import dev.spatz.kernel.AttentionShape;
import dev.spatz.kernel.Kernels;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The gains (D) of the normalization of query and key heads, as views into a parameter set; both
 * null in models without it, where nothing is done. Views into a set of gradients have the same
 * form.
 */
record QueryKeyNorm(
    AttentionShape shape,
    double epsilon,
    @Nullable INDArray queryGain,
    @Nullable INDArray keyGain) {
  /** No gradients. */
  static final QueryKeyNorm FROZEN =
      new QueryKeyNorm(new AttentionShape(1, 1, 1, 1), 0, null, null);

  static QueryKeyNorm of(ParameterSet set, TransformerConfig config, int layer) {
    return new QueryKeyNorm(
        config.attentionShape(1),
        config.normEpsilon(),
        set.find(ParameterLayout.layer(layer, ParameterLayout.QUERY_NORM + ParameterLayout.GAIN)),
        set.find(ParameterLayout.layer(layer, ParameterLayout.KEY_NORM + ParameterLayout.GAIN)));
  }

  /** Normalizes queries and keys in place. */
  void forward(Kernels kernels, INDArray qkv, Activations.@Nullable Heads heads) {
    if (queryGain != null && keyGain != null && heads != null) {
      kernels.queryKeyNorm(
          qkv, shape, queryGain, keyGain, epsilon, heads.normalized(), heads.inverseRms());
    }
  }

  /** Turns the gradients of the normalized heads into those of the heads before, in place. */
  void backward(
      Kernels kernels, INDArray dQkv, Activations.@Nullable Heads heads, QueryKeyNorm gradients) {
    if (queryGain != null && keyGain != null && heads != null) {
      kernels.queryKeyNormBackward(
          dQkv,
          shape,
          queryGain,
          keyGain,
          heads.normalized(),
          heads.inverseRms(),
          gradients.queryGain,
          gradients.keyGain);
    }
  }
}
