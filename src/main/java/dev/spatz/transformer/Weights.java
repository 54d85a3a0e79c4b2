package dev.spatz.transformer;

import dev.spatz.kernel.Kernels;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A parameter set as the model uses it. The same form over a set of gradients says where each
 * gradient goes; {@link #frozen} weights have none.
 *
 * @param tokens embeddings (V,C)
 * @param positions embeddings (P,C), or null with rotary positions
 * @param layers the blocks, first to last
 * @param norm the last normalization
 * @param head (V,C), no bias; of {@code tokens}, or those of the matrices, where they are tied
 */
record Weights(
    @Nullable INDArray tokens,
    @Nullable INDArray positions,
    List<Layer> layers,
    Normalization norm,
    LinearMap head) {

  /** The parameters of one block. */
  record Layer(
      Normalization attentionNorm,
      LinearMap qkv,
      QueryKeyNorm queryKeyNorm,
      LinearMap projection,
      Normalization feedForwardNorm,
      LinearMap up,
      LinearMap down) {
    private static final Layer FROZEN =
        new Layer(
            Normalization.FROZEN,
            LinearMap.FROZEN,
            QueryKeyNorm.FROZEN,
            LinearMap.FROZEN,
            Normalization.FROZEN,
            LinearMap.FROZEN,
            LinearMap.FROZEN);

    static Layer of(ParameterSet set, ParameterSet matrices, TransformerConfig config, int layer) {
      return new Layer(
          norm(set, config, layer, ParameterLayout.ATTENTION_NORM),
          map(set, matrices, layer, ParameterLayout.QKV),
          QueryKeyNorm.of(set, config, layer),
          map(set, matrices, layer, ParameterLayout.PROJECTION),
          norm(set, config, layer, ParameterLayout.FEED_FORWARD_NORM),
          map(set, matrices, layer, ParameterLayout.UP),
          map(set, matrices, layer, ParameterLayout.DOWN));
    }

    private Layer withMaps(UnaryOperator<LinearMap> change) {
      return new Layer(
          attentionNorm,
          change.apply(qkv),
          queryKeyNorm,
          change.apply(projection),
          feedForwardNorm,
          change.apply(up),
          change.apply(down));
    }

    private static LinearMap map(ParameterSet set, ParameterSet matrices, int layer, String name) {
      return LinearMap.of(set, matrices, ParameterLayout.layer(layer, name));
    }

    private static Normalization norm(
        ParameterSet set, TransformerConfig config, int layer, String name) {
      return Normalization.of(set, ParameterLayout.layer(layer, name), config);
    }
  }

  static Weights of(ParameterSet set, TransformerConfig config) {
    return of(set, set, config);
  }

  /** With the matrices of all linear maps from a set of the same layout, which may be another. */
  static Weights of(ParameterSet set, ParameterSet matrices, TransformerConfig config) {
    INDArray tokens = set.get(ParameterLayout.TOKENS);
    boolean tied = config.tiedEmbeddings();
    return new Weights(
        tokens,
        set.find(ParameterLayout.POSITIONS),
        IntStream.range(0, config.layers())
            .mapToObj(layer -> Layer.of(set, matrices, config, layer))
            .toList(),
        Normalization.of(set, ParameterLayout.NORM, config),
        new LinearMap(
            ParameterLayout.HEAD,
            matrices.get(tied ? ParameterLayout.TOKENS : ParameterLayout.HEAD),
            null,
            null));
  }

  /** The gradients of weights that stay as they are. */
  static Weights frozen(int layers) {
    return new Weights(
        null,
        null,
        Collections.nCopies(layers, Layer.FROZEN),
        Normalization.FROZEN,
        LinearMap.FROZEN);
  }

  /** Logits (R,V) of rows of the residual stream after the last block. */
  void logits(Kernels kernels, INDArray rows, Activations.Normalized normalized, INDArray logits) {
    norm.forward(kernels, rows, normalized);
    head.forward(kernels, normalized.values(), null, logits);
  }

  /** All linear maps, in the order in which {@link #withMaps} changes them. */
  List<LinearMap> maps() {
    List<LinearMap> maps = new ArrayList<>();
    withMaps(
        map -> {
          maps.add(map);
          return map;
        });
    return maps;
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
