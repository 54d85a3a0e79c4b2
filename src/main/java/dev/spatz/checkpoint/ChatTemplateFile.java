package dev.spatz.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.spatz.tokenizer.ChatTemplate;
import dev.spatz.tokenizer.SpecialToken;
import dev.spatz.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A model's chat template: the file {@code chat_template.jinja}, or the key {@code chat_template}
 * of {@code tokenizer_config.json}, which is a template or a list of named ones, of which {@code
 * default} counts.
 */
final class ChatTemplateFile {
  static final String NAME = "chat_template.jinja";
  static final String KEY = "chat_template";

  /** In GGUF files; llama.cpp reads the template there. */
  private static final String GGUF_KEY = "tokenizer.chat_template";

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

  /** The templates of a directory by name; empty if there is none. */
  static Map<String, String> read(Path directory) throws IOException {
    Map<String, String> templates = new LinkedHashMap<>();
    Path settings = directory.resolve(TokenizerFiles.CONFIG);
    if (Files.exists(settings)) {
      JsonObject json = JsonObject.read(settings, JsonObject.LARGEST_BYTES);
      addTo(templates, json);
    }
    Path own = directory.resolve(NAME);
    if (Files.exists(own)) {
      if (Files.size(own) > JsonObject.SETTINGS_BYTES) {
        throw new InvalidFileException(own, "a chat template is smaller than this file");
      }
      try {
        templates.put(TextConventions.DEFAULT, Files.readString(own, StandardCharsets.UTF_8));
      } catch (CharacterCodingException e) {
        throw new InvalidFileException(own, "the file is not UTF-8", e);
      }
    }
    return templates;
  }

  private static void addTo(Map<String, String> templates, JsonObject json)
      throws InvalidFileException {
    JsonNode value = json.find(KEY);
    if (value == null) {
      return;
    }
    if (value.isTextual()) {
      templates.put(TextConventions.DEFAULT, value.textValue());
      return;
    }
    for (JsonNode named : value) {
      if (named.path("name").isTextual() && named.path("template").isTextual()) {
        templates.put(named.path("name").textValue(), named.path("template").textValue());
      }
    }
    if (!templates.containsKey(TextConventions.DEFAULT)) {
      throw json.invalid(
          KEY, "it must be a template, or a list of named ones with one named \"default\"");
    }
  }

  /** Adds the templates: one as it is, several as a list. */
  static void write(Map<String, String> templates, ObjectNode json) {
    String only = templates.get(TextConventions.DEFAULT);
    if (templates.size() == 1 && only != null) {
      json.put(KEY, only);
      return;
    }
    for (Map.Entry<String, String> one : templates.entrySet()) {
      json.withArray(KEY).addObject().put("name", one.getKey()).put("template", one.getValue());
    }
  }

  /**
   * Adds the templates to a GGUF file: the one that counts, and the others with their names (as
   * gguf-py's {@code add_chat_template} does).
   */
  static void write(Map<String, String> templates, GgufMetadata metadata) {
    List<String> others = new ArrayList<>();
    templates.forEach(
        (name, source) -> {
          if (name.equals(TextConventions.DEFAULT)) {
            metadata.putString(GGUF_KEY, source);
          } else {
            String plain = name.replaceAll("[^A-Za-z0-9]", "_");
            metadata.putString(GGUF_KEY + "." + plain, source);
            others.add(plain);
          }
        });
    if (!others.isEmpty()) {
      metadata.putStrings(GGUF_KEY + "s", others);
    }
  }
}
