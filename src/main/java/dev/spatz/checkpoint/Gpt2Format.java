package dev.spatz.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.spatz.kernel.Gelu;
import dev.spatz.transformer.Architecture;
import dev.spatz.transformer.Biases;
import dev.spatz.transformer.LoraModule;
import dev.spatz.transformer.RopeScaling;
import dev.spatz.transformer.TransformerConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * GPT-2 as {@code GPT2LMHeadModel} saves it. Its linear maps are {@code Conv1D}: the weights are
 * stored (inputs, outputs), the transpose of ours. It always has biases: a model without them is
 * written with zeros, and with {@code "biases": false} among our own keys.
 */
record Gpt2Format() implements ModelFormat {
  private static final String BIASES = "biases";

  /** Causal masks, which older files hold. */
  private static final Pattern BUFFER = Pattern.compile("h\\.\\d+\\.attn\\.(bias|masked_bias)");

  @Override
  public String modelType() {
    return "gpt2";
  }

  @Override
  public String className() {
    return "GPT2LMHeadModel";
  }

  @Override
  public String prefix() {
    return "transformer.";
  }

  @Override
  public TransformerConfig read(JsonObject config, JsonObject own) throws InvalidFileException {
    config.requireFlag("scale_attn_weights", true);
    config.requireFlag("scale_attn_by_inverse_layer_idx", false);
    config.requireFlag("add_cross_attention", false);
    int positions = config.integer(1024, "n_positions", "max_position_embeddings", "n_ctx");
    if (config.integer(positions, "n_ctx") != positions) {
      throw config.invalid("n_ctx", "it must be n_positions (" + positions + ")");
    }
    int channels = config.integer(768, "n_embd", "hidden_size");
    int heads = config.integer(12, "n_head", "num_attention_heads");
    if (heads < 1 || channels % heads != 0) {
      throw config.invalid("n_head", "it must divide n_embd (" + channels + ")");
    }
    return new TransformerConfig(
        Architecture.GPT2,
        config.integer(50_257, "vocab_size"),
        positions,
        config.integer(12, "n_layer", "num_hidden_layers"),
        channels,
        heads,
        heads,
        channels / heads,
        config.integer(Math.multiplyExact(4, channels), "n_inner"),
        own.flag(true, BIASES) ? Biases.ALL : Biases.NONE,
        config.flag(true, "tie_word_embeddings"),
        gelu(config),
        config.number(1e-5, "layer_norm_epsilon"),
        10_000,
        RopeScaling.NONE,
        dropout(config));
  }

  private static Gelu gelu(JsonObject config) throws InvalidFileException {
    return switch (config.text("gelu_new", "activation_function")) {
      case "gelu_new", "gelu_pytorch_tanh" -> Gelu.TANH;
      case "gelu" -> Gelu.EXACT;
      default ->
          throw config.invalid(
              "activation_function",
              "\"gelu_new\", \"gelu_pytorch_tanh\" and \"gelu\" are implemented, no other");
    };
  }

  private static double dropout(JsonObject config) throws InvalidFileException {
    double dropout = config.number(0.1, "resid_pdrop");
    for (String key : List.of("embd_pdrop", "attn_pdrop")) {
      if (config.number(0.1, key) != dropout) {
        throw config.invalid(
            key,
            "it must be resid_pdrop ("
                + dropout
                + "), since training has one dropout; set them equal to use the model");
      }
    }
    return dropout;
  }

  @Override
  public void write(TransformerConfig shape, ObjectNode config, ObjectNode own) {
    config
        .put("n_positions", shape.contextLength())
        .put("n_ctx", shape.contextLength())
        .put("n_embd", shape.channels())
        .put("n_layer", shape.layers())
        .put("n_head", shape.heads())
        .put("n_inner", shape.feedForward())
        .put("activation_function", shape.gelu() == Gelu.TANH ? "gelu_new" : "gelu")
        .put("resid_pdrop", shape.dropout())
        .put("embd_pdrop", shape.dropout())
        .put("attn_pdrop", shape.dropout())
        .put("layer_norm_epsilon", shape.normEpsilon())
        .put("scale_attn_weights", true)
        .put("scale_attn_by_inverse_layer_idx", false)
        .put("reorder_and_upcast_attn", false);
    own.put(BIASES, shape.biases() == Biases.ALL);
  }

  @Override
  public List<TensorMapping> tensors(TransformerConfig shape) {
    Tensors tensors = new Tensors(shape.biases() == Biases.ALL, new ArrayList<>());
    long channels = shape.channels();
    long inner = shape.feedForward();
    tensors.add(TensorMapping.of(name("wte.weight"), "tokens", shape.vocabularySize(), channels));
    tensors.add(TensorMapping.of(name("wpe.weight"), "positions", shape.contextLength(), channels));
    for (int i = 0; i < shape.layers(); i++) {
      String theirs = name("h." + i + ".");
      String ours = "layers." + i + ".";
      tensors.norm(theirs + "ln_1", ours + "attention.norm", channels);
      tensors.linear(theirs + "attn.c_attn", ours + "attention.qkv", channels, 3 * channels);
      tensors.linear(theirs + "attn.c_proj", ours + "attention.projection", channels, channels);
      tensors.norm(theirs + "ln_2", ours + "feedforward.norm", channels);
      tensors.linear(theirs + "mlp.c_fc", ours + "feedforward.up", channels, inner);
      tensors.linear(theirs + "mlp.c_proj", ours + "feedforward.down", inner, channels);
    }
    tensors.norm(name("ln_f"), "norm", channels);
    if (!shape.tiedEmbeddings()) {
      tensors.add(TensorMapping.of("lm_head.weight", "head", shape.vocabularySize(), channels));
    }
    return tensors.list;
  }

  @Override
  public String module(LoraModule module) {
    String name =
        switch (module.target()) {
          case QUERY_KEY_VALUE -> "attn.c_attn";
          case OUTPUT -> "attn.c_proj";
          case UP -> "mlp.c_fc";
          case DOWN -> "mlp.c_proj";
          case QUERY, KEY, VALUE, GATE ->
              throw new IllegalArgumentException("a GPT-2 has no such matrix: " + module);
        };
    return name("h." + module.layer() + "." + name);
  }

  private String name(String rest) {
    return prefix() + rest;
  }

  @Override
  public boolean isBuffer(String name) {
    return BUFFER.matcher(name).matches();
  }

  private record Tensors(boolean biases, List<TensorMapping> list) {
    void add(TensorMapping tensor) {
      list.add(tensor);
    }

    void linear(String theirs, String ours, long inputs, long outputs) {
      add(TensorMapping.transposed(theirs + ".weight", ours + ".weight", inputs, outputs));
      bias(theirs, ours, outputs);
    }

    void norm(String theirs, String ours, long channels) {
      add(TensorMapping.of(theirs + ".weight", ours + ".gain", channels));
      bias(theirs, ours, channels);
    }

    private void bias(String theirs, String ours, long length) {
      String name = theirs + ".bias";
      add(
          biases
              ? TensorMapping.of(name, ours + ".bias", length)
              : TensorMapping.zeros(name, length));
    }
  }
}
