package dev.spatz.transformer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.spatz.kernel.Gelu;
import dev.spatz.kernel.Tensors;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.StreamSupport;

/**
 * A tiny model in the layout of Hugging Face, and what PyTorch computes with it in float64: made by
 * {@code src/test/python/make_fixtures.py}, which describes the files.
 */
final class PyTorchFixture {
  static final List<String> VARIANTS =
      List.of(
          "gpt2",
          "gpt2-exact-gelu-no-bias",
          "gpt2-untied",
          "llama",
          "llama-untied",
          "llama-wide-heads-bias",
          "llama-attention-bias",
          "llama-mlp-bias-linear-rope",
          "llama3-rope",
          "qwen2",
          "qwen2-untied",
          "qwen3",
          "qwen3-untied-bias");
  static final int SEQUENCES = 3;

  private static final Map<String, List<String>> GPT2_MODULES =
      Map.of(
          "attention.norm", List.of("ln_1"),
          "attention.qkv", List.of("attn.c_attn"),
          "attention.projection", List.of("attn.c_proj"),
          "feedforward.norm", List.of("ln_2"),
          "feedforward.up", List.of("mlp.c_fc"),
          "feedforward.down", List.of("mlp.c_proj"));
  private static final Map<String, List<String>> LLAMA_MODULES =
      Map.of(
          "attention.norm", List.of("input_layernorm"),
          "attention.qkv", List.of("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
          "attention.querynorm", List.of("self_attn.q_norm"),
          "attention.keynorm", List.of("self_attn.k_norm"),
          "attention.projection", List.of("self_attn.o_proj"),
          "feedforward.norm", List.of("post_attention_layernorm"),
          "feedforward.up", List.of("mlp.gate_proj", "mlp.up_proj"),
          "feedforward.down", List.of("mlp.down_proj"));

  final TransformerConfig config;
  final int[] inputs;
  final int[] targets;
  final double loss;
  final double[] adamWLosses;
  final double[] adamWGradientNorms;
  final double[] logits;
  private final Map<String, Tensor> weights;
  private final Map<String, Tensor> gradients;

  /** A tensor of a file: a vector has one column. */
  private record Tensor(int rows, int columns, double[] values) {
    Tensor transposed() {
      double[] result = new double[values.length];
      for (int row = 0; row < rows; row++) {
        for (int column = 0; column < columns; column++) {
          result[column * rows + row] = values[row * columns + column];
        }
      }
      return new Tensor(columns, rows, result);
    }
  }

  /** The part of a flat buffer that one of PyTorch's parameters is, and its values there. */
  record Piece(String name, long offset, double[] values) {}

  private PyTorchFixture(Path directory) throws IOException {
    ObjectMapper json = new ObjectMapper();
    JsonNode expected = json.readTree(directory.resolve("expected.json").toFile());
    inputs = integers(expected.get("input_ids"));
    targets = integers(expected.get("targets"));
    loss = expected.get("loss").doubleValue();
    adamWLosses = doubles(expected.get("adamw_losses"));
    adamWGradientNorms = doubles(expected.get("adamw_gradient_norms"));
    config = config(json.readTree(directory.resolve("config.json").toFile()));
    weights = safetensors(directory.resolve("model.safetensors"));
    gradients = safetensors(directory.resolve("expected.safetensors"));
    logits = gradients.remove("logits").values;
    if (!weights.keySet().equals(gradients.keySet())) {
      throw new IOException("weights and gradients differ in their names: " + directory);
    }
  }

  static PyTorchFixture load(String variant) {
    try {
      return new PyTorchFixture(
          Path.of(PyTorchFixture.class.getResource("/pytorch/" + variant).toURI()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The weights, each at its place in a flat buffer. */
  List<Piece> weights() {
    return pieces(weights);
  }

  /** The gradients, each at its place in a flat buffer. */
  List<Piece> gradients() {
    return pieces(gradients);
  }

  /** Copies the weights into a model. */
  void fill(Transformer model) {
    for (Piece piece : weights()) {
      Tensors.write(model.parameters().flat(), piece.offset, piece.values, 0, piece.values.length);
    }
  }

  private List<Piece> pieces(Map<String, Tensor> tensors) {
    List<Piece> pieces = new ArrayList<>();
    for (Parameter parameter : ParameterLayout.of(config).parameters()) {
      long offset = parameter.offset();
      for (String name : names(parameter.name())) {
        Tensor tensor = tensors.get(name);
        Tensor ours = conv1d(parameter) ? tensor.transposed() : tensor;
        if (ours.columns != Math.max(parameter.columns(), 1)) {
          throw new IllegalStateException(name + " has another width than " + parameter);
        }
        pieces.add(new Piece(name, offset, ours.values));
        offset += ours.values.length;
      }
      if (offset != parameter.offset() + parameter.size()) {
        throw new IllegalStateException(parameter + " is not filled");
      }
    }
    if (pieces.size() != tensors.size()) {
      throw new IllegalStateException("the files have parameters that the model has not");
    }
    return pieces;
  }

  /** Whether PyTorch's matrix is (inputs, outputs), as GPT-2's linear maps are. */
  private boolean conv1d(Parameter parameter) {
    return config.architecture() == Architecture.GPT2
        && parameter.matrix()
        && parameter.name().startsWith("layers.");
  }

  /** PyTorch's names of what one of our parameters holds, in the order of its rows. */
  private List<String> names(String ours) {
    boolean gpt2 = config.architecture() == Architecture.GPT2;
    return switch (ours) {
      case "tokens" -> List.of(gpt2 ? "transformer.wte.weight" : "model.embed_tokens.weight");
      case "positions" -> List.of("transformer.wpe.weight");
      case "head" -> List.of("lm_head.weight");
      case "norm.gain" -> List.of(gpt2 ? "transformer.ln_f.weight" : "model.norm.weight");
      case "norm.bias" -> List.of("transformer.ln_f.bias");
      default -> {
        String[] parts = ours.split("\\."); // layers, number, part, module, kind
        String prefix = (gpt2 ? "transformer.h." : "model.layers.") + parts[1] + ".";
        String kind = parts[4].equals("bias") ? ".bias" : ".weight";
        Map<String, List<String>> modules = gpt2 ? GPT2_MODULES : LLAMA_MODULES;
        yield modules.get(parts[2] + "." + parts[3]).stream()
            .map(module -> prefix + module + kind)
            .toList();
      }
    };
  }

  private static TransformerConfig config(JsonNode json) {
    if (json.get("model_type").textValue().equals("gpt2")) {
      return TransformerConfig.gpt2(
              json.get("vocab_size").intValue(),
              json.get("n_positions").intValue(),
              json.get("n_layer").intValue(),
              json.get("n_head").intValue(),
              json.get("n_embd").intValue())
          .withFeedForward(json.get("n_inner").intValue())
          .withGelu(
              json.get("activation_function").textValue().equals("gelu") ? Gelu.EXACT : Gelu.TANH)
          .withNormEpsilon(json.get("layer_norm_epsilon").doubleValue())
          .withTiedEmbeddings(json.get("tie_word_embeddings").booleanValue())
          .withBiases(json.get("bias").booleanValue());
    }
    return new TransformerConfig(
        Architecture.valueOf(json.get("model_type").textValue().toUpperCase(Locale.ROOT)),
        json.get("vocab_size").intValue(),
        json.get("max_position_embeddings").intValue(),
        json.get("num_hidden_layers").intValue(),
        json.get("hidden_size").intValue(),
        json.get("num_attention_heads").intValue(),
        json.get("num_key_value_heads").intValue(),
        json.get("head_dim").intValue(),
        json.get("intermediate_size").intValue(),
        biases(json),
        json.get("tie_word_embeddings").booleanValue(),
        Gelu.TANH,
        json.get("rms_norm_eps").doubleValue(),
        json.get("rope_theta").doubleValue(),
        ropeScaling(json.path("rope_scaling")),
        0);
  }

  private static Biases biases(JsonNode json) {
    return json.get("model_type").textValue().equals("qwen2")
        ? Biases.QKV
        : Biases.of(
            json.path("attention_bias").booleanValue(), json.path("mlp_bias").booleanValue());
  }

  private static RopeScaling ropeScaling(JsonNode json) {
    return switch (json.path("rope_type").asText()) {
      case "linear" -> new RopeScaling.Linear(json.get("factor").doubleValue());
      case "llama3" ->
          new RopeScaling.Llama3(
              json.get("factor").doubleValue(),
              json.get("low_freq_factor").doubleValue(),
              json.get("high_freq_factor").doubleValue(),
              json.get("original_max_position_embeddings").intValue());
      default -> RopeScaling.NONE;
    };
  }

  /** The float32 tensors of a file: length of the header, header, data; little-endian. */
  private static Map<String, Tensor> safetensors(Path path) throws IOException {
    ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
    int headerLength = Math.toIntExact(file.getLong(0));
    String header = new String(file.array(), Long.BYTES, headerLength, StandardCharsets.UTF_8);
    int data = Long.BYTES + headerLength;
    Map<String, Tensor> tensors = new TreeMap<>();
    for (Map.Entry<String, JsonNode> entry : new ObjectMapper().readTree(header).properties()) {
      if (entry.getKey().equals("__metadata__")) {
        continue;
      }
      JsonNode shape = entry.getValue().get("shape");
      int begin = data + entry.getValue().get("data_offsets").get(0).intValue();
      int end = data + entry.getValue().get("data_offsets").get(1).intValue();
      double[] values = new double[(end - begin) / Float.BYTES];
      for (int i = 0; i < values.length; i++) {
        values[i] = file.getFloat(begin + i * Float.BYTES);
      }
      int rows = shape.get(0).intValue();
      tensors.put(entry.getKey(), new Tensor(rows, values.length / rows, values));
    }
    return tensors;
  }

  private static int[] integers(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).mapToInt(JsonNode::intValue).toArray();
  }

  private static double[] doubles(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false)
        .mapToDouble(JsonNode::doubleValue)
        .toArray();
  }
}
