package dev.spatz.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.spatz.tokenizer.CharacterTokenizer;
import dev.spatz.tokenizer.SpecialToken;
import java.util.List;

/**
 * The parts of {@code tokenizer.json} that describe a character tokenizer: byte pair encoding
 * without merges and without splitting, whose tokens are the characters.
 */
final class CharacterFile {
  private static final String FUSE = "Fuse";

  private CharacterFile() {}

  static void write(CharacterTokenizer tokenizer, ObjectNode json) {
    json.putNull("pre_tokenizer");
    if (TokenizerFiles.hasTemplate(tokenizer)) {
      TokenizerFiles.writeTemplate(json, tokenizer);
    } else {
      json.putNull("post_processor");
    }
    json.putObject("decoder").put("type", FUSE);
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
    ObjectNode vocabulary = model.putObject("vocab");
    for (String token : tokenizer.vocabulary()) {
      vocabulary.put(token, vocabulary.size());
    }
    model.putArray("merges");
  }

  /** Whether nothing is split, normalized or merged, and the characters stand in their order. */
  static boolean describes(JsonObject json, JsonObject model) throws InvalidFileException {
    String processor = TokenizerFiles.type(json, "post_processor");
    return !json.has("pre_tokenizer")
        && !json.has("normalizer")
        && (processor.isEmpty() || processor.equals(TokenizerFiles.TEMPLATE))
        && TokenizerFiles.type(json, "decoder").equals(FUSE)
        && TokenizerFiles.isPlainBytePair(model)
        && model.requireArray("merges").isEmpty()
        && !model.has("unk_token");
  }

  static CharacterTokenizer read(
      JsonObject json, JsonObject model, List<SpecialToken> special, String endOfText)
      throws InvalidFileException {
    if (!TokenizerFiles.type(json, "decoder").equals(FUSE)) {
      throw json.invalid("decoder", "\"Fuse\" is implemented where there is no pre_tokenizer");
    }
    if (!model.requireArray("merges").isEmpty()) {
      throw model.invalid("merges", "there must be none where there is no pre_tokenizer");
    }
    model.requireAbsent("unk_token");
    String[] tokens =
        TokenizerFiles.vocabulary(model.requireObject("vocab"), PipelineFile.addedTokens(json));
    int[] characters = new int[Math.max(0, tokens.length - 1)];
    for (int id = 0; id < characters.length; id++) {
      if (tokens[id].codePointCount(0, tokens[id].length()) != 1) {
        throw model.invalid("vocab", "id " + id + " is not one character: " + tokens[id]);
      }
      characters[id] = tokens[id].codePointAt(0);
    }
    CharacterTokenizer tokenizer = CharacterTokenizer.of(characters);
    if (!tokenizer.vocabulary().equals(List.of(tokens))
        || !tokenizer.specialTokens().equals(special)
        || !endOfText.equals(special.get(0).content())) {
      throw model.invalid(
          "vocab",
          "it must hold the characters in the order of their code points, then "
              + CharacterTokenizer.END_OF_TEXT);
    }
    return tokenizer;
  }
}
