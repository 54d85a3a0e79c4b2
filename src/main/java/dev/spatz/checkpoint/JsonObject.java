package dev.spatz.checkpoint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * An object of a JSON file, whose values are asked for by type; a wrong one is reported with the
 * file, the key and the value. A value of {@code null} counts as absent.
 */
final class JsonObject {
  /** The largest file of settings; none is near it. */
  static final long SETTINGS_BYTES = 1 << 20;

  /** The largest vocabulary or list of shards; the largest published ones have about 33 MB. */
  static final long LARGEST_BYTES = 48 << 20;

  private static final int SHOWN = 200;

  /** Each value of a tree costs about a hundred bytes; no published file has half as many. */
  private static final long MAXIMUM_TOKENS = 6_000_000;

  /** Strict, and with bounds for hostile files; names of keys are not kept. */
  static final JsonFactory FACTORY =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
          .streamReadConstraints(
              StreamReadConstraints.builder().maxTokenCount(MAXIMUM_TOKENS).build())
          .build();

  private final Path path;
  private final String prefix;
  private final JsonNode node;

  private JsonObject(Path path, String prefix, JsonNode node) {
    this.path = path;
    this.prefix = prefix;
    this.node = node;
  }

  /** An empty object to write. */
  static ObjectNode create() {
    return JsonNodeFactory.instance.objectNode();
  }

  /** What an absent file says: nothing. */
  static JsonObject empty(Path path) {
    return new JsonObject(path, "", create());
  }

  /**
   * Reads a file.
   *
   * @param limit the most bytes that it may have: a tree takes many times its file's size
   * @throws InvalidFileException if it is longer, not UTF-8, not JSON, or not an object
   */
  static JsonObject read(Path path, long limit) throws IOException {
    long size = Files.size(path);
    if (size > limit) {
      throw new InvalidFileException(
          path,
          String.format(
              Locale.ROOT, "the file has %,d bytes; such a file has at most %,d", size, limit));
    }
    try (Reader reader =
        new BufferedReader(
            new InputStreamReader(
                Files.newInputStream(path), StandardCharsets.UTF_8.newDecoder()))) {
      JsonNode node = JsonTree.read(FACTORY.createParser(reader));
      if (node == null) {
        throw new InvalidFileException(path, "the file is empty");
      }
      if (!node.isObject()) {
        throw new InvalidFileException(path, "the file holds no JSON object");
      }
      return new JsonObject(path, "", node);
    } catch (CharacterCodingException e) {
      throw new InvalidFileException(path, "the file is not UTF-8", e);
    } catch (JsonProcessingException e) {
      throw new InvalidFileException(path, "the file is not JSON: " + message(e), e);
    }
  }

  /** Writes a file, indented. */
  static void write(Path path, ObjectNode node) throws IOException {
    DefaultIndenter indenter = new DefaultIndenter("  ", "\n");
    DefaultPrettyPrinter printer =
        new DefaultPrettyPrinter()
            .withObjectIndenter(indenter)
            .withSeparators(
                DefaultPrettyPrinter.DEFAULT_SEPARATORS.withObjectFieldValueSpacing(
                    Separators.Spacing.AFTER));
    Files.writeString(
        path, new JsonMapper(FACTORY).writer(printer).writeValueAsString(node) + "\n");
  }

  /** What a parser reports, and where, without the text around it. */
  static String message(JsonProcessingException e) {
    // Some messages tell of another place, and of a source that is not shown.
    String fault = e.getOriginalMessage().replaceAll("\\[Source: [^;]*; ([^\\]]*)\\]", "$1");
    return e.getLocation() == null
        ? fault
        : String.format(
            Locale.ROOT,
            "%s (line %d, column %d)",
            fault,
            e.getLocation().getLineNr(),
            e.getLocation().getColumnNr());
  }

  Path path() {
    return path;
  }

  /** The keys in the order of the file. */
  Iterable<String> keys() {
    return node::fieldNames;
  }

  /** The number of keys. */
  int size() {
    return node.size();
  }

  /** Whether a key has a value other than {@code null}. */
  boolean has(String key) {
    return find(key) != null;
  }

  /** Whether a key has the value {@code null}: of some keys it does not mean their default. */
  boolean isNull(String key) {
    JsonNode value = node.get(key);
    return value != null && value.isNull();
  }

  /** The value of a key, or null. */
  @Nullable JsonNode find(String key) {
    JsonNode value = node.get(key);
    return value == null || value.isNull() ? null : value;
  }

  /** The value of the first of some keys, which are spellings of one setting, that has a value. */
  int integer(int absent, String... keys) throws InvalidFileException {
    for (String key : keys) {
      JsonNode value = find(key);
      if (value != null) {
        if (!value.isIntegralNumber() || !value.canConvertToInt()) {
          throw invalid(key, "it must be a whole number below 2^31");
        }
        return value.intValue();
      }
    }
    return absent;
  }

  long longInteger(String key) throws InvalidFileException {
    JsonNode value = find(key);
    if (value == null || !value.isIntegralNumber() || !value.canConvertToLong()) {
      throw invalid(key, "it must be a whole number below 2^63");
    }
    return value.longValue();
  }

  double number(double absent, String key) throws InvalidFileException {
    JsonNode value = find(key);
    if (value == null) {
      return absent;
    }
    if (!value.isNumber()) {
      throw invalid(key, "it must be a number");
    }
    return value.doubleValue();
  }

  double requireNumber(String key) throws InvalidFileException {
    if (!has(key)) {
      throw invalid(key, "it must be a number");
    }
    return number(0, key);
  }

  boolean flag(boolean absent, String key) throws InvalidFileException {
    JsonNode value = find(key);
    if (value == null) {
      return absent;
    }
    if (!value.isBoolean()) {
      throw invalid(key, "it must be true or false");
    }
    return value.booleanValue();
  }

  String text(String key) throws InvalidFileException {
    JsonNode value = find(key);
    if (value == null || !value.isTextual()) {
      throw invalid(key, "it must be a string");
    }
    return value.textValue();
  }

  String text(String absent, String key) throws InvalidFileException {
    return has(key) ? text(key) : absent;
  }

  /** The object at a key, or null. */
  @Nullable JsonObject object(String key) throws InvalidFileException {
    JsonNode value = find(key);
    return value == null ? null : object(key, value);
  }

  /** The value at a place below this object, which must be an object. */
  JsonObject object(String place, JsonNode value) throws InvalidFileException {
    if (!value.isObject()) {
      throw invalid(place, value, "it must be an object");
    }
    return new JsonObject(path, prefix + place + ".", value);
  }

  JsonObject requireObject(String key) throws InvalidFileException {
    JsonObject object = object(key);
    if (object == null) {
      throw invalid(key, "it must be an object");
    }
    return object;
  }

  JsonNode requireArray(String key) throws InvalidFileException {
    JsonNode value = find(key);
    if (value == null || !value.isArray()) {
      throw invalid(key, "it must be an array");
    }
    return value;
  }

  /** Refuses a key that has a value other than {@code null}. */
  void requireAbsent(String key) throws InvalidFileException {
    if (has(key)) {
      throw invalid(key, "this is not implemented; it must be null or absent");
    }
  }

  /** Refuses a flag, if present, that has the other value. */
  void requireFlag(String key, boolean expected) throws InvalidFileException {
    if (flag(expected, key) != expected) {
      throw invalid(key, "this is not implemented; it must be " + expected + " or absent");
    }
  }

  /** A fault of a key's value. */
  InvalidFileException invalid(String key, String rule) {
    return invalid(key, node.get(key), rule);
  }

  private InvalidFileException invalid(String key, @Nullable JsonNode value, String rule) {
    String shown = value == null ? "absent" : value.toString();
    if (shown.length() > SHOWN) {
      shown = shown.substring(0, SHOWN) + "…";
    }
    return new InvalidFileException(path, prefix + key + " is " + shown + "; " + rule);
  }
}
