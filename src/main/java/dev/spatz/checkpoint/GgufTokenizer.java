package dev.spatz.checkpoint;

import dev.spatz.tokenizer.ByteLevel;
import dev.spatz.tokenizer.BytePairTokenizer;
import dev.spatz.tokenizer.CharacterTokenizer;
import dev.spatz.tokenizer.Merge;
import dev.spatz.tokenizer.PipelineTokenizer;
import dev.spatz.tokenizer.SpecialToken;
import dev.spatz.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * A tokenizer as the keys {@code tokenizer.ggml.…} of a GGUF file describe it.
 *
 * <p>A character tokenizer is written as byte-level byte pair encoding too. Its merges join the
 * bytes of each character from the left: first all pairs of bytes that begin one, then all triples,
 * then quadruples. A merge begins with the first byte of a character and ends with a later one, so
 * that none joins two characters, and text gets the same ids. Characters that have no id are passed
 * over there, where they are refused here.
 *
 * <p>{@link GgufPipeline} describes the tokenizers of others.
 */
final class GgufTokenizer {
  static final int NORMAL = 1;
  static final int UNKNOWN = 2;
  static final int CONTROL = 3;
  static final int USER_DEFINED = 4;
  static final int UNUSED = 5;
  static final int BYTE = 6;

  private static final String PREFIX = "tokenizer.ggml.";
  private static final int LONGEST_CHARACTER = 4;

  /** How text becomes tokens. */
  sealed interface Rule {}

  /**
   * Byte-level byte pair encoding.
   *
   * @param split the name of what cuts the text before
   * @param merges by rank, two tokens with a space between them
   */
  record Merges(String split, List<String> merges) implements Rule {}

  /**
   * SentencePiece.
   *
   * @param scores by id
   * @param spaceFirst whether a space goes before every text
   */
  record Scores(float[] scores, boolean spaceFirst) implements Rule {}

  private final String[] tokens;
  private final int[] types;
  private final Rule rule;

  private GgufTokenizer(Tokenizer tokenizer, int vocabularySize) {
    tokens = new String[vocabularySize];
    types = new int[vocabularySize];
    Arrays.fill(types, UNUSED);
    Arrays.fill(types, 0, tokenizer.vocabularySize(), NORMAL);
    for (SpecialToken token : tokenizer.specialTokens()) {
      tokens[token.id()] = token.content();
      types[token.id()] = CONTROL;
    }
    if (tokenizer instanceof BytePairTokenizer bytePair) {
      rule = new Merges("gpt-2", merges(bytePair));
    } else if (tokenizer instanceof CharacterTokenizer characters) {
      rule = new Merges("gpt-2", merges(characters));
    } else {
      PipelineTokenizer pipeline = (PipelineTokenizer) tokenizer;
      pipeline.parts().model().vocabulary().toArray(tokens);
      rule = GgufPipeline.rule(pipeline, types);
    }
    for (int id = tokenizer.vocabularySize(); id < vocabularySize; id++) {
      tokens[id] = "[PAD" + id + "]"; // the model has ids that mean nothing; each needs a name
    }
    requireDifferent();
  }

  /**
   * Writes a tokenizer.
   *
   * @param vocabularySize ids of the model, at least those of the tokenizer
   * @throws IllegalArgumentException if a special token is spelled as another token, or llama.cpp
   *     has no tokenizer that gives the same ids
   */
  static void write(Tokenizer tokenizer, int vocabularySize, GgufMetadata metadata) {
    GgufTokenizer written = new GgufTokenizer(tokenizer, vocabularySize);
    metadata.putStrings(PREFIX + "tokens", List.of(written.tokens));
    metadata.putIntegers(PREFIX + "token_type", written.types);
    if (written.rule instanceof Merges rule) {
      metadata.putString(PREFIX + "model", "gpt2");
      metadata.putString(PREFIX + "pre", rule.split());
      metadata.putStrings(PREFIX + "merges", rule.merges());
    } else if (written.rule instanceof Scores rule) {
      metadata.putString(PREFIX + "model", "llama");
      metadata.putString(PREFIX + "pre", "default");
      metadata.putNumbers(PREFIX + "scores", Arrays.copyOf(rule.scores(), vocabularySize));
      metadata.putFlag(PREFIX + "add_space_prefix", rule.spaceFirst());
    }
    for (int id = 0; id < vocabularySize; id++) {
      if (written.types[id] == UNKNOWN) {
        metadata.putInteger(PREFIX + "unknown_token_id", id);
      }
    }
    metadata.putInteger(
        PREFIX + "bos_token_id", tokenizer.beginOfText().orElse(tokenizer.endOfText()));
    metadata.putInteger(PREFIX + "eos_token_id", tokenizer.endOfText());
    metadata.putFlag(PREFIX + "add_bos_token", tokenizer.beginOfText().isPresent());
    metadata.putFlag(PREFIX + "add_eos_token", false); // its readers would end prompts, too
  }

  static IllegalArgumentException refused(Tokenizer tokenizer, String reason) {
    return new IllegalArgumentException(
        "tokenizer ("
            + tokenizer
            + ") cannot be exported to GGUF: "
            + reason
            + "; share the saved directory");
  }

  static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private List<String> merges(BytePairTokenizer tokenizer) {
    for (int id = 0; id < tokenizer.vocabularySize(); id++) {
      if (types[id] == NORMAL) {
        tokens[id] = ByteLevel.toCharacters(tokenizer.tokenBytes(id));
      }
    }
    List<String> spelled = new ArrayList<>(tokenizer.merges().size());
    for (Merge merge : tokenizer.merges()) {
      spelled.add(tokens[merge.left()] + " " + tokens[merge.right()]);
    }
    return spelled;
  }

  private List<String> merges(CharacterTokenizer tokenizer) {
    List<String> characters = tokenizer.vocabulary();
    for (int id = 0; id < characters.size(); id++) {
      if (types[id] == NORMAL) {
        tokens[id] = ByteLevel.toCharacters(utf8(characters.get(id)));
      }
    }
    Set<String> spelled = new LinkedHashSet<>();
    for (int length = 2; length <= LONGEST_CHARACTER; length++) {
      for (int id = 0; id < characters.size(); id++) {
        if (types[id] == NORMAL && tokens[id].length() >= length) {
          String bytes = tokens[id];
          spelled.add(bytes.substring(0, length - 1) + " " + bytes.charAt(length - 1));
        }
      }
    }
    return List.copyOf(spelled);
  }

  /** The format's readers look tokens up by their spelling. */
  private void requireDifferent() {
    Set<String> seen = new HashSet<>();
    for (int id = 0; id < tokens.length; id++) {
      if (!seen.add(tokens[id])) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "token %s (id %d) cannot be exported: another token is spelled the same",
                tokens[id],
                id));
      }
    }
  }
}
