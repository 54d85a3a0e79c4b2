package dev.spatz.checkpoint;

import dev.spatz.kernel.Gelu;
import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.transformer.Architecture;
import dev.spatz.transformer.Biases;
import dev.spatz.transformer.ParameterSet;
import dev.spatz.transformer.RopeScaling;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A model as one GGUF file, tokenizer included, for llama.cpp and programs that build on it. */
public final class GgufFile {
  private static final Pattern LAYER =
      Pattern.compile("(?:model\\.layers|transformer\\.h)\\.(\\d+)\\.(.+)\\.(weight|bias)");

  /** Names of tensors in Hugging Face's layout, without their ending → names in GGUF. */
  private static final Map<String, String> NAMES =
      Map.of(
          "transformer.wte", "token_embd",
          "transformer.wpe", "position_embd",
          "transformer.ln_f", "output_norm",
          "model.embed_tokens", "token_embd",
          "model.norm", "output_norm",
          "lm_head", "output");

  /** The same inside a layer. */
  private static final Map<String, String> NAMES_IN_LAYER =
      Map.ofEntries(
          Map.entry("ln_1", "attn_norm"),
          Map.entry("attn.c_attn", "attn_qkv"),
          Map.entry("attn.c_proj", "attn_output"),
          Map.entry("ln_2", "ffn_norm"),
          Map.entry("mlp.c_fc", "ffn_up"),
          Map.entry("mlp.c_proj", "ffn_down"),
          Map.entry("input_layernorm", "attn_norm"),
          Map.entry("self_attn.q_proj", "attn_q"),
          Map.entry("self_attn.k_proj", "attn_k"),
          Map.entry("self_attn.v_proj", "attn_v"),
          Map.entry("self_attn.q_norm", "attn_q_norm"),
          Map.entry("self_attn.k_norm", "attn_k_norm"),
          Map.entry("self_attn.o_proj", "attn_output"),
          Map.entry("post_attention_layernorm", "ffn_norm"),
          Map.entry("mlp.gate_proj", "ffn_gate"),
          Map.entry("mlp.up_proj", "ffn_up"),
          Map.entry("mlp.down_proj", "ffn_down"));

  private GgufFile() {}

  /**
   * Writes a model, whole or not at all, some rows at a time; a GGUF file that was there before is
   * replaced.
   *
   * @param path of the file, in a directory that exists
   * @param transformer whose weights nobody changes meanwhile
   * @param tokenizer whose ids are within the transformer's vocabulary
   * @param conventions whose chat templates are written too
   * @param provenance null if nothing is known
   * @param type of the matrices
   * @throws IllegalArgumentException if the model cannot be exported faithfully: a GPT-2 with the
   *     exact GELU, since llama.cpp computes the tanh form; a Qwen3 with biases; a Qwen with Llama
   *     3's scaling of rotary frequencies; a weight outside the range of the type; two tokens of
   *     one spelling; a tokenizer that llama.cpp has not
   * @throws IOException if it cannot be written, or there is something else of this name
   */
  public static void write(
      Path path,
      Transformer transformer,
      Tokenizer tokenizer,
      TextConventions conventions,
      @Nullable Provenance provenance,
      GgufType type)
      throws IOException {
    transformer.requireWhole();
    TransformerConfig shape = transformer.config();
    requireFaithful(shape);
    GgufMetadata metadata = new GgufMetadata();
    describe(shape, type, metadata);
    GgufTokenizer.write(tokenizer, shape.vocabularySize(), metadata);
    ChatTemplateFile.write(conventions.chatTemplates(), metadata);
    if (provenance != null) {
      metadata.putString("spatz.provenance", provenance.json().toString());
    }
    GgufWriter.write(path, metadata, tensors(transformer, type));
  }

  /** llama.cpp would load these models, or some of them, and compute something else. */
  private static void requireFaithful(TransformerConfig shape) {
    if (shape.architecture() == Architecture.GPT2 && shape.gelu() != Gelu.TANH) {
      throw new IllegalArgumentException(
          "gelu ("
              + shape.gelu()
              + ") cannot be exported to GGUF, where gpt2 has the tanh form, and the model would"
              + " compute something else; train with Gelu.TANH, or share the saved directory");
    }
    if (shape.architecture() == Architecture.QWEN3 && shape.biases() != Biases.NONE) {
      throw new IllegalArgumentException(
          "biases ("
              + shape.biases()
              + ") cannot be exported to GGUF, where qwen3 has none; share the saved directory");
    }
    if (shape.ropeScaling() instanceof RopeScaling.Llama3
        && shape.architecture() != Architecture.LLAMA) {
      throw new IllegalArgumentException(
          "ropeScaling ("
              + shape.ropeScaling()
              + ") cannot be exported to GGUF, where llama alone has it; share the saved directory");
    }
  }

  private static void describe(TransformerConfig shape, GgufType type, GgufMetadata metadata) {
    String architecture = ModelFormat.of(shape.architecture()).modelType();
    metadata.putString("general.architecture", architecture);
    metadata.putString("general.type", "model");
    metadata.putInteger("general.alignment", GgufWriter.ALIGNMENT);
    metadata.putInteger("general.file_type", type.fileType());
    if (type == GgufType.Q8_0) {
      metadata.putInteger("general.quantization_version", 2);
    }
    String key = architecture + ".";
    metadata.putInteger(key + "vocab_size", shape.vocabularySize());
    metadata.putInteger(key + "context_length", shape.contextLength());
    metadata.putInteger(key + "embedding_length", shape.channels());
    metadata.putInteger(key + "block_count", shape.layers());
    metadata.putInteger(key + "feed_forward_length", shape.feedForward());
    metadata.putInteger(key + "attention.head_count", shape.heads());
    metadata.putInteger(key + "attention.head_count_kv", shape.keyValueHeads());
    if (shape.architecture() == Architecture.GPT2) {
      metadata.putNumber(key + "attention.layer_norm_epsilon", shape.normEpsilon());
    } else {
      metadata.putNumber(key + "attention.layer_norm_rms_epsilon", shape.normEpsilon());
      metadata.putInteger(key + "attention.key_length", shape.headSize());
      metadata.putInteger(key + "attention.value_length", shape.headSize());
      metadata.putInteger(key + "rope.dimension_count", shape.headSize());
      metadata.putNumber(key + "rope.freq_base", shape.ropeTheta());
      if (shape.ropeScaling() instanceof RopeScaling.Linear linear && linear.factor() != 1) {
        metadata.putString(key + "rope.scaling.type", "linear");
        metadata.putNumber(key + "rope.scaling.factor", linear.factor());
      }
    }
  }

  private static List<GgufTensor> tensors(Transformer transformer, GgufType type) {
    TransformerConfig shape = transformer.config();
    List<GgufTensor> tensors = new ArrayList<>();
    for (TensorMapping mapping : ModelFormat.of(shape.architecture()).tensors(shape)) {
      tensors.add(tensor(name(mapping.name()), mapping, transformer.parameters(), shape, type));
    }
    if (shape.ropeScaling() instanceof RopeScaling.Llama3) {
      tensors.add(rotaryDivisors(shape));
    }
    return tensors;
  }

  /** What each rotary frequency is divided by. */
  private static GgufTensor rotaryDivisors(TransformerConfig shape) {
    float[] divisors = new float[shape.headSize() / 2];
    for (int i = 0; i < divisors.length; i++) {
      double frequency = Math.pow(shape.ropeTheta(), -2.0 * i / shape.headSize());
      divisors[i] = (float) (frequency / shape.ropeScaling().scaled(frequency));
    }
    return new GgufTensor(
        "rope_freqs.weight",
        List.of((long) divisors.length),
        GgufType.F32,
        GgufTensor.of(divisors));
  }

  private static GgufTensor tensor(
      String name,
      TensorMapping mapping,
      ParameterSet parameters,
      TransformerConfig shape,
      GgufType type) {
    List<Long> size = mapping.shape();
    if (mapping.transposed()) { // GGUF has (outputs, inputs), as our parameters
      size = List.of(size.get(1), size.get(0));
    }
    boolean matrix = size.size() == 2 && !name.startsWith("position_embd.");
    return new GgufTensor(
        name,
        size,
        matrix ? type.forRowsOf(size.get(1)) : GgufType.F32,
        values(name, mapping, parameters, shape));
  }

  private static GgufTensor.Values values(
      String name, TensorMapping mapping, ParameterSet parameters, TransformerConfig shape) {
    if (mapping.parameter() == null) {
      return GgufTensor.zeros();
    }
    INDArray parameter = parameters.get(mapping.parameter());
    return rotated(name, shape.architecture())
        ? GgufTensor.interleaved(parameter, mapping.firstRow(), shape.headSize())
        : GgufTensor.of(parameter, mapping.firstRow());
  }

  /** Of the architectures with rotary positions, GGUF's llama alone has them interleaved. */
  private static boolean rotated(String name, Architecture architecture) {
    return architecture == Architecture.LLAMA && name.matches(".*\\.attn_[qk]\\.(weight|bias)");
  }

  private static String name(String theirs) {
    Matcher layer = LAYER.matcher(theirs);
    if (layer.matches()) {
      String name = NAMES_IN_LAYER.get(layer.group(2));
      return "blk." + layer.group(1) + "." + required(name, theirs) + "." + layer.group(3);
    }
    int end = theirs.lastIndexOf('.');
    return required(NAMES.get(theirs.substring(0, end)), theirs) + theirs.substring(end);
  }

  private static String required(@Nullable String name, String theirs) {
    if (name == null) {
      throw new IllegalArgumentException("tensor " + theirs + " has no name in GGUF files");
    }
    return name;
  }
}
