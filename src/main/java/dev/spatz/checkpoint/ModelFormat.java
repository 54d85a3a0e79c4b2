package dev.spatz.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.spatz.transformer.Architecture;
import dev.spatz.transformer.LoraModule;
import dev.spatz.transformer.TransformerConfig;
import java.util.List;

/** How files of one {@code model_type} describe a model, and how its tensors are named. */
sealed interface ModelFormat permits Gpt2Format, LlamaFormat {

  /** The value of {@code model_type}. */
  String modelType();

  /** The class of Hugging Face's library, in {@code architectures}. */
  String className();

  /** What the names of all tensors but the head's begin with; files may leave it out. */
  String prefix();

  /**
   * The shape that {@code config.json} describes.
   *
   * @param own our own part of the file, which may be empty
   * @throws InvalidFileException if a value is wrong, or asks for what is not implemented
   * @throws IllegalArgumentException if the values are no valid shape together
   */
  TransformerConfig read(JsonObject config, JsonObject own) throws InvalidFileException;

  /**
   * Writes the keys that describe a shape.
   *
   * @param own our own part of the file, for what the others have no key for
   */
  void write(TransformerConfig shape, ObjectNode config, ObjectNode own);

  /** All tensors of a model. */
  List<TensorMapping> tensors(TransformerConfig shape);

  /**
   * The name of a matrix that an adapter can change, without {@code .weight}, such as {@code
   * model.layers.0.self_attn.q_proj}.
   */
  String module(LoraModule module);

  /** Whether a tensor, its prefix dropped, holds no weights and can be left unread. */
  boolean isBuffer(String name);

  /** The format of a model. */
  static ModelFormat of(Architecture architecture) {
    return switch (architecture) {
      case GPT2 -> new Gpt2Format();
      case LLAMA -> LlamaFormat.LLAMA;
      case QWEN2 -> LlamaFormat.QWEN2;
      case QWEN3 -> LlamaFormat.QWEN3;
    };
  }

  /** The format of a file. */
  static ModelFormat of(JsonObject config) throws InvalidFileException {
    return switch (config.text("model_type")) {
      case "gpt2" -> new Gpt2Format();
      case "llama" -> LlamaFormat.LLAMA;
      case "mistral" -> LlamaFormat.MISTRAL;
      case "qwen2" -> LlamaFormat.QWEN2;
      case "qwen3" -> LlamaFormat.QWEN3;
      default ->
          throw config.invalid(
              "model_type",
              "\"gpt2\", \"llama\", \"mistral\", \"qwen2\" and \"qwen3\" are implemented, no other");
    };
  }
}
