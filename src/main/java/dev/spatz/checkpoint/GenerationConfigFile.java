package dev.spatz.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.spatz.generation.GenerationConfig;
import dev.spatz.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** {@code generation_config.json}: the ids that begin and end a text, and how one is generated. */
final class GenerationConfigFile {
  static final String NAME = "generation_config.json";

  private static final String END = "eos_token_id";

  private GenerationConfigFile() {}

  /** Writes the ids of a tokenizer, with what the conventions add to it. */
  static void write(Path directory, Tokenizer tokenizer, TextConventions conventions)
      throws IOException {
    List<Integer> moreEnds = conventions.moreEnds();
    ObjectNode json =
        JsonObject.create()
            .put("bos_token_id", tokenizer.beginOfText().orElse(tokenizer.endOfText()))
            .put(END, tokenizer.endOfText())
            .put("pad_token_id", tokenizer.endOfText());
    if (!moreEnds.isEmpty()) {
      ArrayNode ends = json.putArray(END).add(tokenizer.endOfText());
      moreEnds.forEach(ends::add);
    }
    if (conventions.generation() != null) {
      GenerationSettings.write(conventions.generation(), json);
    }
    JsonObject.write(directory.resolve(NAME), json);
  }

  /**
   * How texts are generated, null if there is no such file or it says nothing.
   *
   * @param contextLength of the model
   */
  static @Nullable GenerationConfig settings(Path directory, int contextLength) throws IOException {
    Path path = directory.resolve(NAME);
    return Files.exists(path)
        ? GenerationSettings.read(JsonObject.read(path, JsonObject.SETTINGS_BYTES), contextLength)
        : null;
  }

  /**
   * The first id that ends a text, as this file says or else {@code config.json}; empty if neither
   * does.
   *
   * @param config the latter
   */
  static OptionalInt endOfText(Path directory, JsonObject config) throws IOException {
    List<Integer> all = endsOfText(directory, config);
    return all.isEmpty() ? OptionalInt.empty() : OptionalInt.of(all.get(0));
  }

  /** All ids that end a text, as this file says or else {@code config.json}. */
  static List<Integer> endsOfText(Path directory, JsonObject config) throws IOException {
    Path path = directory.resolve(NAME);
    if (Files.exists(path)) {
      List<Integer> ids = endsOfText(JsonObject.read(path, JsonObject.SETTINGS_BYTES));
      if (!ids.isEmpty()) {
        return ids;
      }
    }
    return endsOfText(config);
  }

  private static List<Integer> endsOfText(JsonObject json) throws InvalidFileException {
    JsonNode value = json.find(END);
    if (value == null) {
      return List.of();
    }
    List<Integer> ids = new ArrayList<>();
    for (JsonNode id : value.isArray() ? value : List.of(value)) {
      if (!id.isIntegralNumber() || !id.canConvertToInt()) {
        throw json.invalid(END, "it must be an id that ends a text, or an array of such ids");
      }
      ids.add(id.intValue());
    }
    return ids;
  }
}
