package dev.spatz.transformer;

import dev.spatz.kernel.Kernels;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A parameter set as the model uses it. The same form over a set of gradients says where each
 * gradient goes.
 *
 * @param tokens embeddings (V,C)
 * @param positions embeddings (P,C), or null with rotary positions
 * @param layers the blocks, first to last
 * @param norm the last normalization
 * @param head (V,C), no bias; of {@code tokens} itself where they are tied
 */
record Weights(
    INDArray tokens,
    @Nullable INDArray positions,
    List<Layer> layers,
    Normalization norm,
    LinearMap head) {

  /** The parameters of one block. */
  record Layer(
      Normalization attentionNorm,
      LinearMap qkv,
      LinearMap projection,
      Normalization feedForwardNorm,
      LinearMap up,
      LinearMap down) {

    static Layer of(ParameterSet set, TransformerConfig config, int layer) {
      return new Layer(
          norm(set, config, layer, ParameterLayout.ATTENTION_NORM),
          map(set, layer, ParameterLayout.QKV),
          map(set, layer, ParameterLayout.PROJECTION),
          norm(set, config, layer, ParameterLayout.FEED_FORWARD_NORM),
          map(set, layer, ParameterLayout.UP),
          map(set, layer, ParameterLayout.DOWN));
    }

    private Layer withMaps(UnaryOperator<LinearMap> change) {
      return new Layer(
          attentionNorm,
          change.apply(qkv),
          change.apply(projection),
          feedForwardNorm,
          change.apply(up),
          change.apply(down));
    }

    private static LinearMap map(ParameterSet set, int layer, String name) {
      return LinearMap.of(set, ParameterLayout.layer(layer, name));
    }

    private static Normalization norm(
        ParameterSet set, TransformerConfig config, int layer, String name) {
      return Normalization.of(set, ParameterLayout.layer(layer, name), config);
    }
  }

  static Weights of(ParameterSet set, TransformerConfig config) {
    INDArray tokens = set.get(ParameterLayout.TOKENS);
    return new Weights(
        tokens,
        set.find(ParameterLayout.POSITIONS),
        IntStream.range(0, config.layers())
            .mapToObj(layer -> Layer.of(set, config, layer))
            .toList(),
        Normalization.of(set, ParameterLayout.NORM, config),
        new LinearMap(
            config.tiedEmbeddings() ? tokens : set.get(ParameterLayout.HEAD), null, null));
  }

  /** Logits (R,V) of rows of the residual stream after the last block. */
  void logits(Kernels kernels, INDArray rows, Activations.Normalized normalized, INDArray logits) {
    norm.forward(kernels, rows, normalized);
    head.forward(kernels, normalized.values(), null, logits);
  }

  /** The same weights, with other linear maps. */
  Weights withMaps(UnaryOperator<LinearMap> change) {
    return new Weights(
        tokens,
        positions,
        layers.stream().map(layer -> layer.withMaps(change)).toList(),
        norm,
        change.apply(head));
  }
}
