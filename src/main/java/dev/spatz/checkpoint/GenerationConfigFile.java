package dev.spatz.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.spatz.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;

/** {@code generation_config.json}: the ids that begin and end a text. */
final class GenerationConfigFile {
  static final String NAME = "generation_config.json";

  private static final String END = "eos_token_id";

  private GenerationConfigFile() {}

  static void write(Path directory, Tokenizer tokenizer) throws IOException {
    ObjectNode json =
        JsonObject.create()
            .put("bos_token_id", tokenizer.beginOfText().orElse(tokenizer.endOfText()))
            .put(END, tokenizer.endOfText())
            .put("pad_token_id", tokenizer.endOfText());
    JsonObject.write(directory.resolve(NAME), json);
  }

  /**
   * The id that ends a text, as this file says or else {@code config.json}; empty if neither does.
   *
   * @param config the latter
   * @throws InvalidFileException if there are several such ids
   */
  static OptionalInt endOfText(Path directory, JsonObject config) throws IOException {
    Path path = directory.resolve(NAME);
    if (Files.exists(path)) {
      OptionalInt id = endOfText(JsonObject.read(path, JsonObject.SETTINGS_BYTES));
      if (id.isPresent()) {
        return id;
      }
    }
    return endOfText(config);
  }

  private static OptionalInt endOfText(JsonObject json) throws InvalidFileException {
    JsonNode value = json.find(END);
    if (value == null) {
      return OptionalInt.empty();
    }
    JsonNode id = value.isArray() && value.size() == 1 ? value.get(0) : value;
    if (!id.isIntegralNumber() || !id.canConvertToInt()) {
      throw json.invalid(END, "one id that ends a text is implemented, not several");
    }
    return OptionalInt.of(id.intValue());
  }
}
