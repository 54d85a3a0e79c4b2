package dev.spatz.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.spatz.kernel.Gelu;
import dev.spatz.transformer.Architecture;
import dev.spatz.transformer.TransformerConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Llama as {@code LlamaForCausalLM} saves it: rotary positions in split-half order, as ours. Our
 * dropout, which has more places than {@code attention_dropout}, stands among our own keys.
 */
record LlamaFormat() implements ModelFormat {
  private static final String DROPOUT = "dropout";
  private static final double DEFAULT_THETA = 10_000;

  /** Rotary frequencies, which older files hold. */
  private static final Pattern BUFFER =
      Pattern.compile("layers\\.\\d+\\.self_attn\\.rotary_emb\\.inv_freq");

  @Override
  public String modelType() {
    return "llama";
  }

  @Override
  public String className() {
    return "LlamaForCausalLM";
  }

  @Override
  public String prefix() {
    return "model.";
  }

  @Override
  public TransformerConfig read(JsonObject config, JsonObject own) throws InvalidFileException {
    if (!config.text("silu", "hidden_act").equals("silu")) {
      throw config.invalid("hidden_act", "\"silu\" is implemented, no other");
    }
    requireFullAttention(config);
    boolean biases = config.flag(false, "attention_bias");
    if (config.flag(false, "mlp_bias") != biases) {
      throw config.invalid(
          "mlp_bias", "only models with both this and attention_bias, or neither, are implemented");
    }
    int channels = config.integer(4096, "hidden_size");
    int heads = config.integer(32, "num_attention_heads");
    if (heads < 1 || !config.has("head_dim") && channels % heads != 0) {
      throw config.invalid(
          "num_attention_heads",
          "it must divide hidden_size (" + channels + ") where there is no head_dim");
    }
    int keyValueHeads = config.integer(heads, "num_key_value_heads");
    int headSize = config.integer(channels / heads, "head_dim");
    if ((heads + 2L * keyValueHeads) * headSize > Integer.MAX_VALUE) {
      throw config.invalid("head_dim", "the heads together must be narrower than 2^31");
    }
    int feedForward = config.integer(11_008, "intermediate_size");
    if (feedForward > Integer.MAX_VALUE / 2) {
      throw config.invalid("intermediate_size", "it must be below 2^30");
    }
    return new TransformerConfig(
        Architecture.LLAMA,
        config.integer(32_000, "vocab_size"),
        config.integer(2048, "max_position_embeddings"),
        config.integer(32, "num_hidden_layers"),
        channels,
        heads,
        keyValueHeads,
        headSize,
        feedForward,
        biases,
        config.flag(false, "tie_word_embeddings"),
        Gelu.TANH,
        config.number(1e-6, "rms_norm_eps"),
        ropeTheta(config),
        dropout(config, own));
  }

  private static void requireFullAttention(JsonObject config) throws InvalidFileException {
    config.requireAbsent("sliding_window");
    config.requireFlag("use_sliding_window", false);
    JsonNode layers = config.find("layer_types");
    if (layers != null) {
      for (JsonNode layer : layers) {
        if (!layer.asText().equals("full_attention")) {
          throw config.invalid("layer_types", "\"full_attention\" is implemented, no other");
        }
      }
    }
  }

  /** The base of the frequencies: at the top in older files, in {@code rope_parameters} in new. */
  private static double ropeTheta(JsonObject config) throws InvalidFileException {
    double theta = config.number(DEFAULT_THETA, "rope_theta");
    requireWholeHeads(config);
    JsonObject scaling = config.object("rope_scaling");
    if (scaling != null) {
      requireDefaultRope(scaling);
    }
    JsonObject parameters = config.object("rope_parameters");
    if (parameters == null) {
      return theta;
    }
    requireDefaultRope(parameters);
    double newer = parameters.number(theta, "rope_theta");
    if (config.has("rope_theta") && theta != newer) {
      throw config.invalid(
          "rope_theta", "rope_parameters.rope_theta (" + newer + ") contradicts it");
    }
    return newer;
  }

  private static void requireDefaultRope(JsonObject rope) throws InvalidFileException {
    for (String key : List.of("rope_type", "type")) {
      if (!rope.text("default", key).equals("default")) {
        throw rope.invalid(key, "\"default\" is implemented, no other");
      }
    }
    requireWholeHeads(rope);
    rope.requireAbsent("factor");
  }

  private static void requireWholeHeads(JsonObject rope) throws InvalidFileException {
    if (rope.number(1, "partial_rotary_factor") != 1) {
      throw rope.invalid("partial_rotary_factor", "it must be 1 or absent");
    }
  }

  private static double dropout(JsonObject config, JsonObject own) throws InvalidFileException {
    double theirs = config.number(0, "attention_dropout");
    double dropout = own.number(0, DROPOUT);
    if (theirs != dropout) {
      throw config.invalid(
          "attention_dropout",
          "training with dropout of attention alone is not implemented; set it to 0");
    }
    return dropout;
  }

  @Override
  public void write(TransformerConfig shape, ObjectNode config, ObjectNode own) {
    config
        .put("hidden_size", shape.channels())
        .put("intermediate_size", shape.feedForward())
        .put("num_hidden_layers", shape.layers())
        .put("num_attention_heads", shape.heads())
        .put("num_key_value_heads", shape.keyValueHeads())
        .put("head_dim", shape.headSize())
        .put("hidden_act", "silu")
        .put("max_position_embeddings", shape.contextLength())
        .put("rms_norm_eps", shape.normEpsilon())
        .put("rope_theta", shape.ropeTheta())
        .putNull("rope_scaling")
        .put("attention_bias", shape.biases())
        .put("attention_dropout", shape.dropout())
        .put("mlp_bias", shape.biases())
        .put("pretraining_tp", 1);
    own.put(DROPOUT, shape.dropout());
  }

  @Override
  public List<TensorMapping> tensors(TransformerConfig shape) {
    List<TensorMapping> tensors = new ArrayList<>();
    int channels = shape.channels();
    tensors.add(
        TensorMapping.of(
            prefix() + "embed_tokens.weight", "tokens", shape.vocabularySize(), channels));
    for (int i = 0; i < shape.layers(); i++) {
      addLayer(tensors, shape, prefix() + "layers." + i + ".", "layers." + i + ".");
    }
    tensors.add(TensorMapping.of(prefix() + "norm.weight", "norm.gain", channels));
    if (!shape.tiedEmbeddings()) {
      tensors.add(TensorMapping.of("lm_head.weight", "head", shape.vocabularySize(), channels));
    }
    return tensors;
  }

  private static void addLayer(
      List<TensorMapping> tensors, TransformerConfig shape, String theirs, String ours) {
    long channels = shape.channels();
    long queries = (long) shape.heads() * shape.headSize();
    long keys = (long) shape.keyValueHeads() * shape.headSize();
    long inner = shape.feedForward();
    String attention = theirs + "self_attn.";
    String qkv = ours + "attention.qkv";
    String feedForward = theirs + "mlp.";
    String gateUp = ours + "feedforward.up";
    String gain = ours + "attention.norm.gain";
    tensors.add(TensorMapping.of(theirs + "input_layernorm.weight", gain, channels));
    addLinear(tensors, shape, attention + "q_proj", qkv, 0, queries, channels);
    addLinear(tensors, shape, attention + "k_proj", qkv, queries, keys, channels);
    addLinear(tensors, shape, attention + "v_proj", qkv, queries + keys, keys, channels);
    String projection = ours + "attention.projection";
    addLinear(tensors, shape, attention + "o_proj", projection, 0, channels, queries);
    gain = ours + "feedforward.norm.gain";
    tensors.add(TensorMapping.of(theirs + "post_attention_layernorm.weight", gain, channels));
    addLinear(tensors, shape, feedForward + "gate_proj", gateUp, 0, inner, channels);
    addLinear(tensors, shape, feedForward + "up_proj", gateUp, inner, inner, channels);
    String down = ours + "feedforward.down";
    addLinear(tensors, shape, feedForward + "down_proj", down, 0, channels, inner);
  }

  /** A linear map that is some rows of one of ours, which may hold several side by side. */
  private static void addLinear(
      List<TensorMapping> tensors,
      TransformerConfig shape,
      String theirs,
      String ours,
      long firstRow,
      long rows,
      long columns) {
    tensors.add(
        TensorMapping.ofRows(theirs + ".weight", ours + ".weight", firstRow, rows, columns));
    if (shape.biases()) {
      tensors.add(TensorMapping.ofRows(theirs + ".bias", ours + ".bias", firstRow, rows));
    }
  }

  @Override
  public boolean isBuffer(String name) {
    return BUFFER.matcher(name).matches();
  }
}
