package dev.spatz.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.spatz.tokenizer.ChatTemplate;
import dev.spatz.tokenizer.SpecialToken;
import dev.spatz.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A model's chat template: the file {@code chat_template.jinja}, or the key {@code chat_template}
 * of {@code tokenizer_config.json}, which is a template or a list of named ones, of which {@code
 * default} counts.
 */
final class ChatTemplateFile {
  static final String NAME = "chat_template.jinja";
  static final String KEY = "chat_template";

  private static final String DEFAULT = "default";

  private ChatTemplateFile() {}

  /** What a tokenizer with the tokens of turns is saved with; null for others. */
  static @Nullable String ofTokenizer(Tokenizer tokenizer) {
    return tokenizer.specialTokens().stream()
            .map(SpecialToken::content)
            .toList()
            .containsAll(ChatTemplate.SPECIAL_TOKENS)
        ? ChatTemplate.chatMl().source()
        : null;
  }

  /** The template of a directory, or null. */
  static @Nullable String read(Path directory) throws IOException {
    Path own = directory.resolve(NAME);
    if (Files.exists(own)) {
      if (Files.size(own) > JsonObject.SETTINGS_BYTES) {
        throw new InvalidFileException(own, "a chat template is smaller than this file");
      }
      try {
        return Files.readString(own, StandardCharsets.UTF_8);
      } catch (CharacterCodingException e) {
        throw new InvalidFileException(own, "the file is not UTF-8", e);
      }
    }
    Path settings = directory.resolve(TokenizerFiles.CONFIG);
    if (!Files.exists(settings)) {
      return null;
    }
    JsonObject json = JsonObject.read(settings, JsonObject.LARGEST_BYTES);
    JsonNode value = json.find(KEY);
    if (value == null || value.isTextual()) {
      return value == null ? null : value.textValue();
    }
    for (JsonNode named : value) {
      if (named.path("name").asText().equals(DEFAULT) && named.path("template").isTextual()) {
        return named.path("template").textValue();
      }
    }
    throw json.invalid(
        KEY, "it must be a template, or a list of named ones with one named \"default\"");
  }
}
