package dev.spatz.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.spatz.tokenizer.AddedToken;
import dev.spatz.tokenizer.BytePairTokenizer;
import dev.spatz.tokenizer.CharacterTokenizer;
import dev.spatz.tokenizer.PipelineTokenizer;
import dev.spatz.tokenizer.SpecialToken;
import dev.spatz.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * {@code tokenizer.json} and {@code tokenizer_config.json}, as Hugging Face's tokenizers library
 * has them: text gets the same ids there as here, but for the spelling of a special token in a
 * text, which is the special token there and ordinary text here.
 *
 * <p>Byte-level byte pair encoding with GPT-2's splitting, and characters, have tokenizers of their
 * own; {@link PipelineFile} reads the others. What is not implemented is refused, since its ids
 * would be wrong.
 */
final class TokenizerFiles {
  static final String TOKENIZER = "tokenizer.json";
  static final String CONFIG = "tokenizer_config.json";

  private static final String VERSION = "1.0";
  static final String TEMPLATE = "TemplateProcessing";

  private TokenizerFiles() {}

  // ---- writing ----

  static void write(Path directory, Tokenizer tokenizer, int contextLength) throws IOException {
    write(directory, tokenizer, contextLength, TextConventions.NONE);
  }

  static void write(
      Path directory, Tokenizer tokenizer, int contextLength, TextConventions conventions)
      throws IOException {
    ObjectNode json = JsonObject.create();
    json.put("version", VERSION).putNull("truncation").putNull("padding");
    for (SpecialToken token : tokenizer.specialTokens()) {
      addSpecial(json.withArray("added_tokens").addObject().put("id", token.id()), token);
    }
    if (tokenizer instanceof PipelineTokenizer pipeline) {
      PipelineWriter.addedTokens(pipeline, json);
    } else {
      json.putNull("normalizer");
    }
    if (tokenizer instanceof PipelineTokenizer pipeline) {
      PipelineWriter.write(pipeline, json);
    } else if (tokenizer instanceof BytePairTokenizer bytePair) {
      BytePairFile.write(bytePair, json);
    } else if (tokenizer instanceof CharacterTokenizer characters) {
      CharacterFile.write(characters, json);
    }
    JsonObject.write(directory.resolve(TOKENIZER), json);
    writeConfig(directory, tokenizer, contextLength, conventions);
  }

  private static void addSpecial(ObjectNode json, SpecialToken token) {
    json.put("content", token.content())
        .put("single_word", false)
        .put("lstrip", false)
        .put("rstrip", false)
        .put("normalized", false)
        .put("special", true);
  }

  private static void writeConfig(
      Path directory, Tokenizer tokenizer, int contextLength, TextConventions conventions)
      throws IOException {
    ObjectNode json = JsonObject.create();
    ObjectNode decoder = json.putObject("added_tokens_decoder");
    for (SpecialToken token : tokenizer.specialTokens()) {
      addSpecial(decoder.putObject(Integer.toString(token.id())), token);
    }
    json.put("bos_token", conventions.beginToken(tokenizer))
        .put("eos_token", conventions.endToken(tokenizer))
        .put("pad_token", content(tokenizer, tokenizer.endOfText()))
        .put("model_max_length", contextLength)
        .put("clean_up_tokenization_spaces", false)
        .put("tokenizer_class", "PreTrainedTokenizerFast");
    ChatTemplateFile.write(conventions.chatTemplates(), json);
    JsonObject.write(directory.resolve(CONFIG), json);
  }

  /** The content of a special token. */
  static String content(Tokenizer tokenizer, int id) {
    return tokenizer.specialTokens().stream()
        .filter(token -> token.id() == id)
        .findFirst()
        .orElseThrow()
        .content();
  }

  /** Whether something stands around every text. */
  static boolean hasTemplate(Tokenizer tokenizer) {
    return tokenizer.beginOfText().isPresent() || tokenizer.endsTexts();
  }

  /** What puts the tokens that begin and end a text around one that is encoded, or around two. */
  static void writeTemplate(ObjectNode json, Tokenizer tokenizer) {
    ObjectNode template = json.putObject("post_processor").put("type", TEMPLATE);
    Set<Integer> used = new TreeSet<>();
    tokenizer.beginOfText().ifPresent(used::add);
    if (tokenizer.endsTexts()) {
      used.add(tokenizer.endOfText());
    }
    for (String kind : List.of("single", "pair")) {
      ArrayNode parts = template.putArray(kind);
      tokenizer
          .beginOfText()
          .ifPresent(begin -> part(parts, "SpecialToken", content(tokenizer, begin)));
      part(parts, "Sequence", "A");
      if (kind.equals("pair")) {
        part(parts, "Sequence", "B");
      }
      if (tokenizer.endsTexts()) {
        part(parts, "SpecialToken", content(tokenizer, tokenizer.endOfText()));
      }
    }
    ObjectNode all = template.putObject("special_tokens");
    for (int id : used) {
      String content = content(tokenizer, id);
      ObjectNode special = all.putObject(content).put("id", content);
      special.putArray("ids").add(id);
      special.putArray("tokens").add(content);
    }
  }

  private static void part(ArrayNode parts, String kind, String id) {
    parts.addObject().putObject(kind).put("id", id).put("type_id", 0);
  }

  // ---- reading ----

  /**
   * Reads the tokenizer of a directory.
   *
   * @param config the directory's {@code config.json}, which may say what ends a text
   */
  static Tokenizer read(Path directory, JsonObject config) throws IOException {
    Path path = directory.resolve(TOKENIZER);
    if (!Files.exists(path)) {
      if (VocabularyFiles.arePresent(directory)) {
        return VocabularyFiles.read(directory, config, settings(directory));
      }
      throw new InvalidFileException(
          path, "there is no such file; without a tokenizer only the weights can be loaded");
    }
    JsonObject json = JsonObject.read(path, JsonObject.LARGEST_BYTES);
    if (!json.text("version").equals(VERSION)) {
      throw json.invalid("version", "it must be \"" + VERSION + "\"");
    }
    for (String key : List.of("truncation", "padding")) {
      json.requireAbsent(key);
    }
    JsonObject model = model(json);
    List<SpecialToken> special = specialTokens(json);
    JsonObject settings = settings(directory);
    String endOfText = endOfText(directory, config, settings, json, special);
    TokenizerFlags.Frame frame = TokenizerFlags.frame(json, settings);
    try {
      Tokenizer tokenizer = read(json, model, special, endOfText, frame);
      if (frame.end().isPresent() && frame.end().getAsInt() != tokenizer.endOfText()) {
        throw json.invalid(
            "post_processor",
            "what it puts behind a text must be the token that ends a text, " + endOfText);
      }
      TokenizerFlags.requireSameSpace(settings, tokenizer);
      return tokenizer;
    } catch (IllegalArgumentException e) {
      throw new InvalidFileException(path, "the tokenizer is invalid: " + e.getMessage(), e);
    }
  }

  /** The first of the three kinds that the file describes. */
  private static Tokenizer read(
      JsonObject json,
      JsonObject model,
      List<SpecialToken> special,
      String endOfText,
      TokenizerFlags.Frame frame)
      throws InvalidFileException {
    OptionalInt begin = frame.begin();
    SpecialToken end =
        special.stream().filter(token -> token.content().equals(endOfText)).findAny().orElse(null);
    boolean beginsWithEnd = end != null && begin.equals(OptionalInt.of(end.id()));
    if (readsPlainTokens(json) && (begin.isEmpty() || beginsWithEnd)) {
      if (BytePairFile.describes(json, model)) {
        BytePairTokenizer tokenizer = BytePairFile.read(json, model, special, endOfText);
        tokenizer = beginsWithEnd ? tokenizer.withBeginOfText() : tokenizer;
        return frame.ends() ? tokenizer.withEndOfText() : tokenizer;
      }
      if (CharacterFile.describes(json, model) && !frame.ends()) {
        CharacterTokenizer tokenizer = CharacterFile.read(json, model, special, endOfText);
        return beginsWithEnd ? tokenizer.withBeginOfText() : tokenizer;
      }
    }
    return PipelineFile.read(json, endOfText, begin, frame.ends());
  }

  /** The content of {@code tokenizer_config.json}, or null. */
  private static @Nullable JsonObject settings(Path directory) throws IOException {
    Path path = directory.resolve(CONFIG);
    if (!Files.exists(path)) {
      return null;
    }
    return JsonObject.read(path, JsonObject.LARGEST_BYTES);
  }

  /** The model, without what no published tokenizer of a language model has. */
  private static JsonObject model(JsonObject json) throws InvalidFileException {
    JsonObject model = json.requireObject("model");
    String type = model.text("BPE", "type");
    if (!type.equals("BPE") && !type.equals("WordLevel")) {
      throw model.invalid("type", "\"BPE\" and \"WordLevel\" are implemented, no other");
    }
    if (model.number(0, "dropout") != 0) {
      throw model.invalid("dropout", "this is not implemented; it must be null");
    }
    for (String key : List.of("continuing_subword_prefix", "end_of_word_suffix")) {
      if (!model.text("", key).isEmpty()) {
        throw model.invalid(key, "this is not implemented; it must be null or empty");
      }
    }
    return model;
  }

  /** Whether a model is byte pair encoding without further rules. */
  static boolean isPlainBytePair(JsonObject model) throws InvalidFileException {
    return model.text("BPE", "type").equals("BPE")
        && !model.flag(false, "fuse_unk")
        && !model.flag(false, "byte_fallback")
        && !model.flag(false, "ignore_merges");
  }

  /** Whether all added tokens are special, and take no text beside them along. */
  private static boolean readsPlainTokens(JsonObject json) throws InvalidFileException {
    JsonNode added = json.requireArray("added_tokens");
    for (int i = 0; i < added.size(); i++) {
      JsonObject token = json.object("added_tokens[" + i + "]", added.get(i));
      if (!token.flag(false, "special")
          || token.flag(false, "single_word")
          || token.flag(false, "lstrip")
          || token.flag(false, "rstrip")) {
        return false;
      }
    }
    return true;
  }

  private static List<SpecialToken> specialTokens(JsonObject json) throws InvalidFileException {
    List<SpecialToken> special = new ArrayList<>();
    JsonNode added = json.requireArray("added_tokens");
    for (int i = 0; i < added.size(); i++) {
      JsonObject token = json.object("added_tokens[" + i + "]", added.get(i));
      if (!token.flag(false, "special")) {
        continue;
      }
      try {
        special.add(new SpecialToken(token.text("content"), token.integer(-1, "id")));
      } catch (IllegalArgumentException e) {
        throw token.invalid("id", e.getMessage());
      }
    }
    return special;
  }

  /**
   * The content of the special token that ends a text: the one whose id the configurations name, or
   * else the one that {@code tokenizer_config.json} names, or else GPT-2's.
   */
  private static String endOfText(
      Path directory,
      JsonObject config,
      @Nullable JsonObject settings,
      JsonObject json,
      List<SpecialToken> special)
      throws IOException {
    OptionalInt id = GenerationConfigFile.endOfText(directory, config);
    if (id.isPresent()) {
      for (SpecialToken token : special) {
        if (token.id() == id.getAsInt()) {
          return token.content();
        }
      }
      throw json.invalid(
          "added_tokens",
          String.format(
              Locale.ROOT, "the token that ends a text, id %d, must be among them", id.getAsInt()));
    }
    return endOfText(settings);
  }

  /** The content that {@code tokenizer_config.json} names, or else GPT-2's. */
  static String endOfText(@Nullable JsonObject settings) throws InvalidFileException {
    if (settings == null) {
      return Tokenizer.END_OF_TEXT;
    }
    JsonNode token = settings.find("eos_token");
    if (token != null && token.isObject()) {
      return settings.requireObject("eos_token").text("content");
    }
    return settings.text(Tokenizer.END_OF_TEXT, "eos_token");
  }

  /** The content of a token that {@code tokenizer_config.json} names; null if it does not. */
  static @Nullable String named(Path directory, String key) throws IOException {
    Path path = directory.resolve(CONFIG);
    JsonNode token =
        Files.exists(path) ? JsonObject.read(path, JsonObject.LARGEST_BYTES).find(key) : null;
    JsonNode content = token != null && token.isObject() ? token.get("content") : token;
    return content != null && content.isTextual() ? content.textValue() : null;
  }

  /** The type of a part such as the decoder; empty where there is none. */
  static String type(JsonObject json, String part) throws InvalidFileException {
    JsonObject object = json.object(part);
    return object == null ? "" : object.text("type");
  }

  /** The tokens of a vocabulary by id, the added ones among them; no id is left out. */
  static String[] vocabulary(JsonObject vocabulary, List<AddedToken> added)
      throws InvalidFileException {
    int size = vocabulary.size();
    for (AddedToken token : added) {
      size += vocabulary.has(token.content()) ? 0 : 1;
    }
    String[] tokens = new String[size];
    for (String token : vocabulary.keys()) {
      put(vocabulary, token, vocabulary.integer(-1, token), tokens);
    }
    for (AddedToken token : added) {
      if (vocabulary.has(token.content())) {
        if (vocabulary.integer(-1, token.content()) != token.id()) {
          throw vocabulary.invalid(token.content(), "added_tokens gives it id " + token.id());
        }
      } else {
        put(vocabulary, token.content(), token.id(), tokens);
      }
    }
    return tokens;
  }

  private static void put(JsonObject vocabulary, String token, int id, String[] tokens)
      throws InvalidFileException {
    if (id < 0 || id >= tokens.length || tokens[id] != null) {
      throw vocabulary.invalid(
          token,
          String.format(
              Locale.ROOT,
              "the %d tokens must have the ids 0 to %d, each one id; it has %d",
              tokens.length,
              tokens.length - 1,
              id));
    }
    tokens[id] = token;
  }
}
