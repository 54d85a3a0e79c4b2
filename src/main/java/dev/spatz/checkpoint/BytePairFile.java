package dev.spatz.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.spatz.tokenizer.ByteLevel;
import dev.spatz.tokenizer.BytePairTokenizer;
import dev.spatz.tokenizer.Merge;
import dev.spatz.tokenizer.SpecialToken;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** The parts of {@code tokenizer.json} that describe byte-level byte pair encoding as in GPT-2. */
final class BytePairFile {
  private static final String BYTE_LEVEL = "ByteLevel";

  private BytePairFile() {}

  static void write(BytePairTokenizer tokenizer, ObjectNode json) {
    byteLevel(json.putObject("pre_tokenizer"), true);
    if (TokenizerFiles.hasTemplate(tokenizer)) {
      TokenizerFiles.writeTemplate(json, tokenizer);
    } else {
      byteLevel(json.putObject("post_processor"), false);
    }
    byteLevel(json.putObject("decoder"), true);
    ObjectNode model = json.putObject("model");
    model
        .put("type", "BPE")
        .putNull("dropout")
        .putNull("unk_token")
        .putNull("continuing_subword_prefix")
        .putNull("end_of_word_suffix")
        .put("fuse_unk", false)
        .put("byte_fallback", false)
        .put("ignore_merges", false);
    String[] spelling = spelling(tokenizer);
    ObjectNode vocabulary = model.putObject("vocab");
    for (int id = 0; id < spelling.length; id++) {
      if (vocabulary.has(spelling[id])) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "special token %s cannot be written: token %s is spelled the same",
                spelling[id],
                vocabulary.get(spelling[id])));
      }
      vocabulary.put(spelling[id], id);
    }
    ArrayNode merges = model.putArray("merges");
    for (Merge merge : tokenizer.merges()) {
      merges.addArray().add(spelling[merge.left()]).add(spelling[merge.right()]);
    }
  }

  private static void byteLevel(ObjectNode json, boolean trimOffsets) {
    json.put("type", BYTE_LEVEL)
        .put("add_prefix_space", false)
        .put("trim_offsets", trimOffsets)
        .put("use_regex", true);
  }

  /** The tokens by id: special ones as they are, others by the characters of their bytes. */
  private static String[] spelling(BytePairTokenizer tokenizer) {
    String[] spelling = new String[tokenizer.vocabularySize()];
    for (SpecialToken token : tokenizer.specialTokens()) {
      spelling[token.id()] = token.content();
    }
    for (int id = 0; id < spelling.length; id++) {
      if (spelling[id] == null) {
        spelling[id] = ByteLevel.toCharacters(tokenizer.tokenBytes(id));
      }
    }
    return spelling;
  }

  static BytePairTokenizer read(
      JsonObject json, JsonObject model, List<SpecialToken> special, String endOfText)
      throws InvalidFileException {
    String[] tokens =
        TokenizerFiles.vocabulary(model.requireObject("vocab"), PipelineFile.addedTokens(json));
    Map<String, Integer> ids = new HashMap<>();
    for (int id = 0; id < tokens.length; id++) {
      ids.put(tokens[id], id);
    }
    return of(tokens, merges(model, ids), special, endOfText);
  }

  /**
   * A tokenizer of tokens that are spelled as in a file.
   *
   * @throws IllegalArgumentException if the parts do not fit together
   */
  static BytePairTokenizer of(
      String[] tokens, List<Merge> merges, List<SpecialToken> special, String endOfText) {
    Set<Integer> specialIds = new HashSet<>();
    special.forEach(token -> specialIds.add(token.id()));
    List<byte[]> vocabulary = new ArrayList<>();
    for (int id = 0; id < tokens.length; id++) {
      vocabulary.add(
          specialIds.contains(id)
              ? tokens[id].getBytes(StandardCharsets.UTF_8)
              : ByteLevel.toBytes(tokens[id]));
    }
    return BytePairTokenizer.of(vocabulary, merges, special, endOfText);
  }

  /** Whether a file's splitting, decoder and model are GPT-2's, whose tokenizer is the fastest. */
  static boolean describes(JsonObject json, JsonObject model) throws InvalidFileException {
    JsonObject split = json.object("pre_tokenizer");
    String processor = TokenizerFiles.type(json, "post_processor");
    return split != null
        && split.text("type").equals(BYTE_LEVEL)
        && !split.flag(true, "add_prefix_space")
        && split.flag(true, "use_regex")
        && !json.has("normalizer")
        && (processor.isEmpty()
            || processor.equals(BYTE_LEVEL)
            || processor.equals(TokenizerFiles.TEMPLATE))
        && TokenizerFiles.type(json, "decoder").equals(BYTE_LEVEL)
        && TokenizerFiles.isPlainBytePair(model)
        && !model.has("unk_token");
  }

  /** Merges are pairs, or in older files the two tokens with a space between them. */
  static List<Merge> merges(JsonObject model, Map<String, Integer> ids)
      throws InvalidFileException {
    JsonNode list = model.requireArray("merges");
    List<Merge> merges = new ArrayList<>(list.size());
    for (JsonNode merge : list) {
      String[] parts =
          merge.isTextual()
              ? merge.textValue().split(" ", -1)
              : new String[] {merge.path(0).asText(), merge.path(1).asText()};
      Integer left = parts.length == 2 ? ids.get(parts[0]) : null;
      Integer right = parts.length == 2 ? ids.get(parts[1]) : null;
      if (left == null || right == null || merge.isArray() && merge.size() != 2) {
        throw new InvalidFileException(
            model.path(),
            String.format(
                Locale.ROOT,
                "model.merges[%d] is %s; it must be two tokens of the vocabulary",
                merges.size(),
                merge));
      }
      merges.add(new Merge(left, right));
    }
    return merges;
  }
}
