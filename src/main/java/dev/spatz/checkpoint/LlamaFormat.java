package dev.spatz.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.spatz.kernel.Gelu;
import dev.spatz.transformer.Architecture;
import dev.spatz.transformer.Biases;
import dev.spatz.transformer.LoraModule;
import dev.spatz.transformer.TransformerConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Llama and its kin as Hugging Face's library saves them: rotary positions in split-half order, as
 * ours. Our dropout, which has more places than {@code attention_dropout}, stands among our own
 * keys.
 */
enum LlamaFormat implements ModelFormat {
  LLAMA(Architecture.LLAMA, "LlamaForCausalLM", new Defaults(32_000, 11_008, 2048, 32, 0)),

  /** A Llama, and saved as one; its attention reaches back so far as {@code sliding_window}. */
  MISTRAL(Architecture.LLAMA, "MistralForCausalLM", new Defaults(32_000, 14_336, 131_072, 8, 0)),
  QWEN2(Architecture.QWEN2, "Qwen2ForCausalLM", new Defaults(151_936, 22_016, 32_768, 32, 0)),
  QWEN3(Architecture.QWEN3, "Qwen3ForCausalLM", new Defaults(151_936, 22_016, 32_768, 32, 128));

  private static final String DROPOUT = "dropout";
  private static final String WINDOW = "sliding_window";
  private static final int DEFAULT_WINDOW = 4096;

  /** Rotary frequencies, which older files hold. */
  private static final Pattern BUFFER =
      Pattern.compile("(layers\\.\\d+\\.self_attn\\.)?rotary_emb\\.inv_freq");

  private final Architecture architecture;
  private final String className;
  private final Defaults defaults;

  /** What a file means that leaves these out; no head size: channels divided by heads. */
  private record Defaults(
      int vocabularySize, int feedForward, int positions, int keyValueHeads, int headSize) {}

  LlamaFormat(Architecture architecture, String className, Defaults defaults) {
    this.architecture = architecture;
    this.className = className;
    this.defaults = defaults;
  }

  @Override
  public String modelType() {
    return name().toLowerCase(Locale.ROOT);
  }

  @Override
  public String className() {
    return className;
  }

  @Override
  public String prefix() {
    return "model.";
  }

  @Override
  public TransformerConfig read(JsonObject config, JsonObject own) throws InvalidFileException {
    String activation = config.text("silu", "hidden_act");
    if (!activation.equals("silu") && !activation.equals("swish")) {
      throw config.invalid("hidden_act", "\"silu\" is implemented, no other");
    }
    int positions = config.integer(defaults.positions, "max_position_embeddings");
    int layers = config.integer(32, "num_hidden_layers");
    requireFullAttention(config, positions, layers);
    int channels = config.integer(4096, "hidden_size");
    int heads = config.integer(32, "num_attention_heads");
    if (heads < 1 || headSize(config) == 0 && channels % heads != 0) {
      throw config.invalid(
          "num_attention_heads",
          "it must divide hidden_size (" + channels + ") where there is no head_dim");
    }
    int keyValueHeads =
        config.integer(
            config.isNull("num_key_value_heads") || this == LLAMA ? heads : defaults.keyValueHeads,
            "num_key_value_heads");
    int headSize = headSize(config) == 0 ? channels / heads : headSize(config);
    if ((heads + 2L * keyValueHeads) * headSize > Integer.MAX_VALUE) {
      throw config.invalid("head_dim", "the heads together must be narrower than 2^31");
    }
    int feedForward = config.integer(defaults.feedForward, "intermediate_size");
    if (feedForward > Integer.MAX_VALUE / 2) {
      throw config.invalid("intermediate_size", "it must be below 2^30");
    }
    RopeSettings rope = RopeSettings.read(config);
    return new TransformerConfig(
        architecture,
        config.integer(defaults.vocabularySize, "vocab_size"),
        positions,
        layers,
        channels,
        heads,
        keyValueHeads,
        headSize,
        feedForward,
        biases(config),
        config.flag(false, "tie_word_embeddings"),
        Gelu.TANH,
        config.number(1e-6, "rms_norm_eps"),
        rope.theta(),
        rope.scaling(),
        dropout(config, own));
  }

  /** The head size that a file gives, 0 if it gives none. */
  private int headSize(JsonObject config) throws InvalidFileException {
    if (!config.has("head_dim")) {
      return config.isNull("head_dim") ? 0 : defaults.headSize;
    }
    int size = config.integer(0, "head_dim");
    if (size < 1) {
      throw config.invalid("head_dim", "it must be positive");
    }
    return size;
  }

  private Biases biases(JsonObject config) throws InvalidFileException {
    switch (this) {
      case LLAMA:
        return Biases.of(config.flag(false, "attention_bias"), config.flag(false, "mlp_bias"));
      case MISTRAL:
        config.requireFlag("attention_bias", false);
        config.requireFlag("mlp_bias", false);
        return Biases.NONE;
      case QWEN2:
        config.requireFlag("attention_bias", true);
        config.requireFlag("mlp_bias", false);
        return Biases.QKV;
      default:
        config.requireFlag("mlp_bias", false);
        return Biases.of(config.flag(false, "attention_bias"), false);
    }
  }

  /** A window that is as wide as the context changes nothing. */
  private void requireFullAttention(JsonObject config, int positions, int layers)
      throws InvalidFileException {
    boolean sliding =
        switch (this) {
          case LLAMA -> config.has(WINDOW);
          case MISTRAL -> !config.isNull(WINDOW);
          default ->
              config.flag(false, "use_sliding_window")
                  && config.integer(28, "max_window_layers") < layers;
        };
    JsonNode types = config.find("layer_types");
    if (types != null) {
      for (JsonNode type : types) {
        if (type.asText().equals("sliding_attention")) {
          sliding = true;
        } else if (!type.asText().equals("full_attention")) {
          throw config.invalid(
              "layer_types",
              "\"full_attention\" and \"sliding_attention\" are implemented, no other");
        }
      }
    }
    int window = config.integer(DEFAULT_WINDOW, WINDOW);
    if (sliding && window < positions) {
      throw config.invalid(
          WINDOW,
          String.format(
              Locale.ROOT,
              "attention within a window is not implemented where the context exceeds it; lower "
                  + "max_position_embeddings (%d) to %d",
              positions,
              window));
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
        .put("rms_norm_eps", shape.normEpsilon());
    new RopeSettings(shape.ropeTheta(), shape.ropeScaling()).write(config);
    config.put("attention_dropout", shape.dropout());
    if (architecture == Architecture.LLAMA) {
      config
          .put("attention_bias", shape.biases().projection())
          .put("mlp_bias", shape.biases().feedForward())
          .put("pretraining_tp", 1);
    } else {
      config
          .put("use_sliding_window", false)
          .putNull(WINDOW)
          .put("max_window_layers", shape.layers());
    }
    if (architecture == Architecture.QWEN3) {
      config.put("attention_bias", shape.biases().projection());
    }
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

  @Override
  public String module(LoraModule module) {
    String name =
        switch (module.target()) {
          case QUERY -> "self_attn.q_proj";
          case KEY -> "self_attn.k_proj";
          case VALUE -> "self_attn.v_proj";
          case OUTPUT -> "self_attn.o_proj";
          case GATE -> "mlp.gate_proj";
          case UP -> "mlp.up_proj";
          case DOWN -> "mlp.down_proj";
          case QUERY_KEY_VALUE -> throw new IllegalArgumentException("a Llama has three matrices");
        };
    return prefix() + "layers." + module.layer() + "." + name;
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
    boolean biases = shape.biases().qkv();
    addLinear(tensors, biases, attention + "q_proj", qkv, 0, queries, channels);
    addLinear(tensors, biases, attention + "k_proj", qkv, queries, keys, channels);
    addLinear(tensors, biases, attention + "v_proj", qkv, queries + keys, keys, channels);
    if (shape.architecture() == Architecture.QWEN3) {
      long size = shape.headSize();
      gain = ours + "attention.querynorm.gain";
      tensors.add(TensorMapping.of(attention + "q_norm.weight", gain, size));
      gain = ours + "attention.keynorm.gain";
      tensors.add(TensorMapping.of(attention + "k_norm.weight", gain, size));
    }
    biases = shape.biases().projection();
    String projection = ours + "attention.projection";
    addLinear(tensors, biases, attention + "o_proj", projection, 0, channels, queries);
    gain = ours + "feedforward.norm.gain";
    tensors.add(TensorMapping.of(theirs + "post_attention_layernorm.weight", gain, channels));
    biases = shape.biases().feedForward();
    addLinear(tensors, biases, feedForward + "gate_proj", gateUp, 0, inner, channels);
    addLinear(tensors, biases, feedForward + "up_proj", gateUp, inner, inner, channels);
    String down = ours + "feedforward.down";
    addLinear(tensors, biases, feedForward + "down_proj", down, 0, channels, inner);
  }

  /** A linear map that is some rows of one of ours, which may hold several side by side. */
  private static void addLinear(
      List<TensorMapping> tensors,
      boolean biases,
      String theirs,
      String ours,
      long firstRow,
      long rows,
      long columns) {
    tensors.add(
        TensorMapping.ofRows(theirs + ".weight", ours + ".weight", firstRow, rows, columns));
    if (biases) {
      tensors.add(TensorMapping.ofRows(theirs + ".bias", ours + ".bias", firstRow, rows));
    }
  }

  @Override
  public boolean isBuffer(String name) {
    return BUFFER.matcher(name).matches();
  }
}
