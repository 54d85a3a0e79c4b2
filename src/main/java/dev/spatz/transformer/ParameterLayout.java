package dev.spatz.transformer;

import java.util.ArrayList;
import java.util.List;

/**
 * Which parameters a model has and where they lie in a flat buffer: all matrices first, then all
 * vectors (gains and biases), so that what decays is one range. Each begins on a multiple of 64
 * bytes; the gaps stay zero.
 *
 * <p>Queries, keys and values are one matrix, its rows in this order, and so are gate and up: each
 * input of a layer is multiplied once.
 *
 * @param parameters in the order of their offsets
 * @param matrixElements elements of the flat buffer that hold matrices: 0 up to here decays
 * @param elements length of the flat buffer
 * @param hidden the linear maps of the layers, each its own matrix also where several are fused
 */
public record ParameterLayout(
    List<Parameter> parameters, long matrixElements, long elements, List<Parameter> hidden) {
  static final String TOKENS = "tokens";
  static final String POSITIONS = "positions";
  static final String HEAD = "head";
  static final String NORM = "norm";
  static final String WEIGHT = ".weight";
  static final String BIAS = ".bias";
  static final String GAIN = ".gain";

  /** The linear maps of a layer. */
  static final String QKV = "attention.qkv";

  static final String PROJECTION = "attention.projection";
  static final String UP = "feedforward.up";
  static final String DOWN = "feedforward.down";

  /** The normalizations of a layer. */
  static final String ATTENTION_NORM = "attention.norm";

  static final String FEED_FORWARD_NORM = "feedforward.norm";
  static final String QUERY_NORM = "attention.querynorm";
  static final String KEY_NORM = "attention.keynorm";

  private static final int ALIGNMENT = 16;

  /** An immutable layout. */
  public ParameterLayout {
    parameters = List.copyOf(parameters);
    hidden = List.copyOf(hidden);
  }

  /** The layout of a model. */
  public static ParameterLayout of(TransformerConfig config) {
    return of(config, true);
  }

  /** The layout of a model without the linear maps of its blocks: what is left of a frozen one. */
  static ParameterLayout withoutMaps(TransformerConfig config) {
    return of(config, false);
  }

  private static ParameterLayout of(TransformerConfig config, boolean maps) {
    Builder builder = new Builder();
    int channels = config.channels();
    builder.matrix(TOKENS, config.vocabularySize(), channels);
    if (config.architecture() == Architecture.GPT2) {
      builder.matrix(POSITIONS, config.contextLength(), channels);
    }
    for (int layer = 0; maps && layer < config.layers(); layer++) {
      builder.maps(layer, config);
    }
    if (!config.tiedEmbeddings()) {
      builder.matrix(HEAD, config.vocabularySize(), channels);
    }
    long matrixElements = builder.elements;
    for (int layer = 0; layer < config.layers(); layer++) {
      builder.norm(layer(layer, ATTENTION_NORM), config);
      builder.norm(layer(layer, FEED_FORWARD_NORM), config);
      if (config.architecture() == Architecture.QWEN3) {
        builder.vector(layer(layer, QUERY_NORM + GAIN), config.headSize());
        builder.vector(layer(layer, KEY_NORM + GAIN), config.headSize());
      }
      if (config.biases().qkv()) {
        builder.vector(layer(layer, QKV + BIAS), config.attentionShape(1).rowWidth());
      }
      if (config.biases().projection()) {
        builder.vector(layer(layer, PROJECTION + BIAS), channels);
      }
      if (config.biases().feedForward()) {
        builder.vector(layer(layer, UP + BIAS), config.hiddenWidth());
        builder.vector(layer(layer, DOWN + BIAS), channels);
      }
    }
    builder.norm(NORM, config);
    return new ParameterLayout(
        builder.parameters, matrixElements, builder.elements, builder.hidden);
  }

  /** The layout of an adapter: A (rank,I) and B (O,rank) of each of its modules. */
  public static ParameterLayout of(List<LoraModule> modules, int rank) {
    Builder builder = new Builder();
    for (LoraModule module : modules) {
      builder.hidden(module.a(), module.inputs(), rank);
      builder.hidden(module.b(), rank, module.outputs());
    }
    return new ParameterLayout(
        builder.parameters, builder.elements, builder.elements, builder.hidden);
  }

  /** The weights of the linear maps of the blocks, as they are stored. */
  List<Parameter> maps() {
    return parameters.stream().filter(each -> each.name().endsWith(WEIGHT)).toList();
  }

  /** The number of parameters, gaps not counted. */
  public long parameterCount() {
    return parameters.stream().mapToLong(Parameter::size).sum();
  }

  /** The name of a parameter of a layer. */
  static String layer(int layer, String name) {
    return "layers." + layer + "." + name;
  }

  private static final class Builder {
    private final List<Parameter> parameters = new ArrayList<>();
    private final List<Parameter> hidden = new ArrayList<>();
    private long elements;

    /** The linear maps of a layer. */
    void maps(int layer, TransformerConfig config) {
      int channels = config.channels();
      int attended = config.heads() * config.headSize();
      int shared = config.keyValueHeads() * config.headSize();
      int width = config.feedForward();
      long[] widths = config.gated() ? new long[] {width, width} : new long[] {width};
      hidden(layer(layer, QKV + WEIGHT), channels, attended, shared, shared);
      hidden(layer(layer, PROJECTION + WEIGHT), attended, channels);
      hidden(layer(layer, UP + WEIGHT), channels, widths);
      hidden(layer(layer, DOWN + WEIGHT), width, channels);
    }

    /** A matrix of one or more linear maps below each other, of so many outputs each. */
    void hidden(String name, long columns, long... outputs) {
      long offset = elements;
      long rows = 0;
      for (long count : outputs) {
        hidden.add(new Parameter(name, offset + rows * columns, count, columns));
        rows += count;
      }
      matrix(name, rows, columns);
    }

    void matrix(String name, long rows, long columns) {
      add(new Parameter(name, elements, rows, columns));
    }

    void vector(String name, long length) {
      add(new Parameter(name, elements, length, 0));
    }

    void norm(String name, TransformerConfig config) {
      vector(name + GAIN, config.channels());
      if (config.architecture() == Architecture.GPT2 && config.biases() == Biases.ALL) {
        vector(name + BIAS, config.channels());
      }
    }

    private void add(Parameter parameter) {
      parameters.add(parameter);
      long end = parameter.offset() + parameter.size();
      elements = (end + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
  }
}
