package dev.spatz.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.spatz.tokenizer.AddedToken;
import dev.spatz.tokenizer.Merge;
import dev.spatz.tokenizer.Normalizer;
import dev.spatz.tokenizer.PipelineTokenizer;
import dev.spatz.tokenizer.PreTokenizer;
import dev.spatz.tokenizer.SplitPattern;
import dev.spatz.tokenizer.TokenDecoder;
import dev.spatz.tokenizer.TokenModel;
import java.text.Normalizer.Form;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;

/** Reads {@code tokenizer.json}: each part into the type of the same name. */
final class PipelineFile {
  private PipelineFile() {}

  /**
   * Reads a tokenizer.
   *
   * @param endOfText the content of the special token that ends a text
   * @param begin id of the token that stands before every prompt, if there is one
   * @param ends whether the token that ends a text stands behind every text
   * @throws InvalidFileException if something is malformed, or not implemented
   * @throws IllegalArgumentException if the parts do not fit together
   */
  static PipelineTokenizer read(JsonObject json, String endOfText, OptionalInt begin, boolean ends)
      throws InvalidFileException {
    List<AddedToken> added = addedTokens(json);
    JsonObject model = json.requireObject("model");
    PipelineTokenizer.Parts parts =
        new PipelineTokenizer.Parts(
            added,
            json.has("normalizer") ? normalizer(json.requireObject("normalizer")) : Normalizer.NONE,
            json.has("pre_tokenizer")
                ? preTokenizer(json.requireObject("pre_tokenizer"))
                : PreTokenizer.NONE,
            model(model, added).without(notInModel(model, added)),
            json.has("decoder")
                ? decoder(json.requireObject("decoder"))
                : new TokenDecoder.Words());
    for (AddedToken token : added) {
      if (token.special() && token.content().equals(endOfText)) {
        return new PipelineTokenizer(parts, token.id(), begin, ends);
      }
    }
    throw json.invalid("added_tokens", "the token that ends a text, " + endOfText + ", is missing");
  }

  static List<AddedToken> addedTokens(JsonObject json) throws InvalidFileException {
    List<AddedToken> tokens = new ArrayList<>();
    for (JsonObject token : objects(json, "added_tokens")) {
      boolean special = token.flag(false, "special");
      try {
        tokens.add(
            new AddedToken(
                token.text("content"),
                token.integer(-1, "id"),
                token.flag(false, "single_word"),
                token.flag(false, "lstrip"),
                token.flag(false, "rstrip"),
                token.flag(!special, "normalized"),
                special));
      } catch (IllegalArgumentException e) {
        throw token.invalid("id", e.getMessage());
      }
    }
    return tokens;
  }

  private static Normalizer normalizer(JsonObject json) throws InvalidFileException {
    String type = json.text("type");
    switch (type) {
      case "NFC", "NFD", "NFKC", "NFKD":
        return new Normalizer.Unicode(Form.valueOf(type));
      case "Lowercase":
        return new Normalizer.Lowercase();
      case "Prepend":
        return new Normalizer.Prepend(json.text("prepend"));
      case "Replace":
        return new Normalizer.Replace(pattern(json), json.text("content"));
      case "Strip":
        return new Normalizer.Strip(json.flag(true, "strip_left"), json.flag(true, "strip_right"));
      case "Sequence":
        List<Normalizer> parts = new ArrayList<>();
        for (JsonObject part : objects(json, "normalizers")) {
          parts.add(normalizer(part));
        }
        return new Normalizer.Sequence(parts);
      default:
        throw json.invalid("type", "this normalizer is not implemented");
    }
  }

  private static PreTokenizer preTokenizer(JsonObject json) throws InvalidFileException {
    switch (json.text("type")) {
      case "ByteLevel":
        return new PreTokenizer.ByteLevel(
            json.flag(true, "add_prefix_space"), json.flag(true, "use_regex"));
      case "Split":
        return new PreTokenizer.Split(pattern(json), behavior(json), json.flag(false, "invert"));
      case "Digits":
        boolean individual = json.flag(false, "individual_digits");
        return new PreTokenizer.Split(
            PreTokenizer.DIGITS,
            individual ? PreTokenizer.Behavior.ISOLATED : PreTokenizer.Behavior.CONTIGUOUS,
            false);
      case "Whitespace":
        return PreTokenizer.Split.WHITESPACE;
      case "WhitespaceSplit":
        return PreTokenizer.Split.WHITESPACE_SPLIT;
      case "Metaspace":
        return metaspace(json);
      case "Sequence":
        List<PreTokenizer> parts = new ArrayList<>();
        for (JsonObject part : objects(json, "pretokenizers")) {
          parts.add(preTokenizer(part));
        }
        return new PreTokenizer.Sequence(parts);
      default:
        throw json.invalid("type", "this pre-tokenizer is not implemented");
    }
  }

  private static PreTokenizer.Behavior behavior(JsonObject json) throws InvalidFileException {
    switch (json.text("behavior")) {
      case "Removed":
        return PreTokenizer.Behavior.REMOVED;
      case "Isolated":
        return PreTokenizer.Behavior.ISOLATED;
      case "MergedWithPrevious":
        return PreTokenizer.Behavior.MERGED_WITH_PREVIOUS;
      case "MergedWithNext":
        return PreTokenizer.Behavior.MERGED_WITH_NEXT;
      case "Contiguous":
        return PreTokenizer.Behavior.CONTIGUOUS;
      default:
        throw json.invalid("behavior", "it must be one of the library's five");
    }
  }

  private static PreTokenizer metaspace(JsonObject json) throws InvalidFileException {
    String older = json.flag(true, "add_prefix_space") ? "always" : "never";
    PreTokenizer.PrependScheme scheme;
    switch (json.text(older, "prepend_scheme")) {
      case "always":
        scheme = PreTokenizer.PrependScheme.ALWAYS;
        break;
      case "first":
        scheme = PreTokenizer.PrependScheme.FIRST;
        break;
      case "never":
        scheme = PreTokenizer.PrependScheme.NEVER;
        break;
      default:
        throw json.invalid("prepend_scheme", "it must be \"always\", \"first\" or \"never\"");
    }
    return new PreTokenizer.Metaspace(replacement(json), scheme, json.flag(true, "split"));
  }

  private static String replacement(JsonObject json) throws InvalidFileException {
    String replacement = json.text("replacement");
    if (replacement.codePointCount(0, replacement.length()) != 1) {
      throw json.invalid("replacement", "it must be one character");
    }
    return replacement;
  }

  private static TokenDecoder decoder(JsonObject json) throws InvalidFileException {
    switch (json.text("type")) {
      case "ByteLevel":
        return new TokenDecoder.ByteLevel();
      case "ByteFallback":
        return new TokenDecoder.ByteFallback();
      case "Fuse":
        return new TokenDecoder.Fuse();
      case "Replace":
        return new TokenDecoder.Replace(pattern(json), json.text("content"));
      case "Strip":
        String content = json.text("content");
        if (content.length() != 1 || content.charAt(0) >= 0x80 || json.integer(0, "stop") != 0) {
          throw json.invalid("content", "one ASCII character is implemented, with \"stop\" 0");
        }
        int start = json.integer(0, "start");
        if (start < 0) {
          throw json.invalid("start", "it must be at least 0");
        }
        return new TokenDecoder.Strip(content.charAt(0), start);
      case "Metaspace":
        boolean never = json.text("always", "prepend_scheme").equals("never");
        return new TokenDecoder.Metaspace(
            replacement(json), !never && json.flag(true, "add_prefix_space"));
      case "Sequence":
        return decoders(json);
      default:
        throw json.invalid("type", "this decoder is not implemented");
    }
  }

  /** A text is stripped only after its tokens were fused: a token does not know where it stands. */
  private static TokenDecoder decoders(JsonObject json) throws InvalidFileException {
    List<TokenDecoder> parts = new ArrayList<>();
    boolean fused = false;
    for (JsonObject part : objects(json, "decoders")) {
      TokenDecoder decoder = decoder(part);
      if (fused != decoder instanceof TokenDecoder.Strip) {
        throw part.invalid("type", "\"Strip\" is implemented behind \"Fuse\", nothing else is");
      }
      fused |= decoder instanceof TokenDecoder.Fuse;
      parts.add(decoder);
    }
    return new TokenDecoder.Sequence(parts);
  }

  private static SplitPattern pattern(JsonObject json) throws InvalidFileException {
    JsonObject pattern = json.requireObject("pattern");
    String kind = pattern.has("Regex") ? "Regex" : "String";
    try {
      return kind.equals("Regex")
          ? SplitPattern.regex(pattern.text(kind))
          : SplitPattern.literal(pattern.text(kind));
    } catch (IllegalArgumentException e) {
      throw pattern.invalid(kind, e.getMessage());
    }
  }

  private static TokenModel model(JsonObject model, List<AddedToken> added)
      throws InvalidFileException {
    List<String> vocabulary =
        List.of(TokenizerFiles.vocabulary(model.requireObject("vocab"), added));
    String unknown = model.has("unk_token") ? model.text("unk_token") : null;
    if (model.text("BPE", "type").equals("WordLevel")) {
      return new TokenModel.WordLevel(vocabulary, unknown);
    }
    Map<String, Integer> ids = new HashMap<>();
    for (String token : vocabulary) {
      ids.put(token, ids.size());
    }
    List<Merge> merges = BytePairFile.merges(model, ids);
    return new TokenModel.BytePair(
        vocabulary,
        merges,
        new TokenModel.BytePairOptions(
            unknown,
            model.flag(false, "fuse_unk"),
            model.flag(false, "byte_fallback"),
            model.flag(false, "ignore_merges")));
  }

  /** Ids of added tokens that the model does not have, and that it makes of no text. */
  private static Set<Integer> notInModel(JsonObject model, List<AddedToken> added)
      throws InvalidFileException {
    JsonObject vocabulary = model.requireObject("vocab");
    return added.stream()
        .filter(token -> !vocabulary.has(token.content()))
        .map(AddedToken::id)
        .collect(Collectors.toSet());
  }

  static List<JsonObject> objects(JsonObject json, String key) throws InvalidFileException {
    List<JsonObject> objects = new ArrayList<>();
    JsonNode array = json.requireArray(key);
    for (JsonNode value : array) {
      objects.add(json.object(key + "[" + objects.size() + "]", value));
    }
    return objects;
  }
}
