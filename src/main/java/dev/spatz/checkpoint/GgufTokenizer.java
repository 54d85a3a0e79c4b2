package dev.spatz.checkpoint;

import dev.spatz.tokenizer.ByteLevel;
import dev.spatz.tokenizer.BytePairTokenizer;
import dev.spatz.tokenizer.CharacterTokenizer;
import dev.spatz.tokenizer.Merge;
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
 */
final class GgufTokenizer {
  private static final String PREFIX = "tokenizer.ggml.";
  private static final int NORMAL = 1;
  private static final int CONTROL = 3;
  private static final int UNUSED = 5;
  private static final int LONGEST_CHARACTER = 4;

  private final String[] tokens;
  private final int[] types;
  private final List<String> merges;

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
      merges = merges(bytePair);
    } else if (tokenizer instanceof CharacterTokenizer characters) {
      merges = merges(characters);
    } else {
      throw new IllegalArgumentException(
          "tokenizer (" + tokenizer + ") is of a kind that is not exported to GGUF");
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
   * @throws IllegalArgumentException if a special token is spelled as another token
   */
  static void write(Tokenizer tokenizer, int vocabularySize, GgufMetadata metadata) {
    GgufTokenizer written = new GgufTokenizer(tokenizer, vocabularySize);
    metadata.putString(PREFIX + "model", "gpt2");
    metadata.putString(PREFIX + "pre", "gpt-2");
    metadata.putStrings(PREFIX + "tokens", List.of(written.tokens));
    metadata.putIntegers(PREFIX + "token_type", written.types);
    metadata.putStrings(PREFIX + "merges", written.merges);
    metadata.putInteger(
        PREFIX + "bos_token_id", tokenizer.beginOfText().orElse(tokenizer.endOfText()));
    metadata.putInteger(PREFIX + "eos_token_id", tokenizer.endOfText());
    metadata.putFlag(PREFIX + "add_bos_token", tokenizer.beginOfText().isPresent());
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
        byte[] utf8 = characters.get(id).getBytes(StandardCharsets.UTF_8);
        tokens[id] = ByteLevel.toCharacters(utf8);
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
