package dev.spatz.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * {@code config.json}: the shape of a model in Hugging Face's keys, and under {@code spatz} what
 * those have no place for: the version of this part, settings of the format, the provenance. Other
 * programs pass over it.
 *
 * @param json the whole file
 * @param format how the other files are read
 * @param shape of the model
 * @param provenance where the model comes from, null if the file does not say
 */
record ConfigFile(
    JsonObject json, ModelFormat format, TransformerConfig shape, @Nullable Provenance provenance) {
  static final String NAME = "config.json";

  /** Our own part of the file; only files that were written here have it. */
  static final String OWN = "spatz";

  private static final String VERSION = "format";
  private static final int CURRENT_VERSION = 1;

  /** Reads the file of a directory. */
  static ConfigFile read(Path directory) throws IOException {
    JsonObject json = JsonObject.read(directory.resolve(NAME), JsonObject.SETTINGS_BYTES);
    ModelFormat format = ModelFormat.of(json);
    json.requireAbsent("quantization_config");
    JsonObject own =
        json.has(OWN) ? json.requireObject(OWN) : json.object(OWN, JsonObject.create());
    if (own.integer(CURRENT_VERSION, VERSION) > CURRENT_VERSION) {
      throw own.invalid(VERSION, "a later version of this library wrote it; use that one");
    }
    TransformerConfig shape;
    try {
      shape = format.read(json, own);
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new InvalidFileException(
          json.path(), "the model's shape is invalid: " + e.getMessage(), e);
    }
    JsonObject provenance = own.object("provenance");
    return new ConfigFile(
        json, format, shape, provenance == null ? null : Provenance.read(provenance));
  }

  /** Writes the file of a directory. */
  static void write(
      Path directory, TransformerConfig shape, Tokenizer tokenizer, @Nullable Provenance provenance)
      throws IOException {
    ModelFormat format = ModelFormat.of(shape.architecture());
    ObjectNode json = JsonObject.create();
    json.putArray("architectures").add(format.className());
    json.put("model_type", format.modelType()).put("vocab_size", shape.vocabularySize());
    ObjectNode own = JsonObject.create().put(VERSION, CURRENT_VERSION);
    format.write(shape, json, own);
    json.put("tie_word_embeddings", shape.tiedEmbeddings())
        .put("initializer_range", 0.02)
        .put("use_cache", true)
        .put("bos_token_id", tokenizer.beginOfText().orElse(tokenizer.endOfText()))
        .put("eos_token_id", tokenizer.endOfText())
        .put("torch_dtype", "float32");
    if (provenance != null) {
      own.set("provenance", provenance.json());
    }
    json.set(OWN, own);
    JsonObject.write(directory.resolve(NAME), json);
  }
}
