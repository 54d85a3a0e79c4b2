package dev.spatz.checkpoint;

import dev.spatz.tokenizer.Merge;
import dev.spatz.tokenizer.TokenModel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * SentencePiece's scores of the tokens of a byte pair encoding. SentencePiece has no list of
 * merges: any two neighbours may merge whose text is a token, that with the highest score first,
 * then the leftmost. A list of merges says the same if it has every such pair, and those that make
 * one token stand together; others are refused.
 */
final class GgufScores {
  private final List<String> tokens;
  private final Map<String, Integer> order = new HashMap<>(); // of the tokens that merges make
  private final Set<List<String>> pairs = new HashSet<>();

  private GgufScores(TokenModel.BytePair model) {
    tokens = model.vocabulary();
    String last = "";
    for (Merge merge : model.merges()) {
      String left = tokens.get(merge.left());
      String right = tokens.get(merge.right());
      String joined = left + right;
      if (!joined.equals(last) && order.containsKey(joined)) {
        throw new IllegalArgumentException(
            "tokenizer cannot be exported to GGUF: the merges that make its token "
                + joined
                + " do not stand together, so that no score is their rank");
      }
      order.putIfAbsent(joined, order.size());
      pairs.add(List.of(left, right));
      last = joined;
    }
  }

  /**
   * A score for each token, by id.
   *
   * @throws IllegalArgumentException if none give the ids that the merges give
   */
  static float[] of(TokenModel.BytePair model) {
    GgufScores scores = new GgufScores(model);
    scores.tokens.forEach(scores::requireAllMerges);
    float[] values = new float[scores.tokens.size()];
    for (int id = 0; id < values.length; id++) {
      values[id] = -scores.order.getOrDefault(scores.tokens.get(id), scores.order.size());
    }
    return values;
  }

  private void requireAllMerges(String token) {
    for (int at : borders(token)) {
      String left = token.substring(0, at);
      String right = token.substring(at);
      if (arises(left) && arises(right) && !pairs.contains(List.of(left, right))) {
        throw new IllegalArgumentException(
            "tokenizer cannot be exported to GGUF: llama.cpp would merge '"
                + left
                + "' and '"
                + right
                + "', since '"
                + token
                + "' is a token, and the tokenizer does not");
      }
    }
  }

  /** Between the characters of a token. */
  private static List<Integer> borders(String token) {
    List<Integer> borders = new ArrayList<>();
    for (int at = 0; at < token.length(); at += Character.charCount(token.codePointAt(at))) {
      if (at > 0) {
        borders.add(at);
      }
    }
    return borders;
  }

  /** Whether a text may be a symbol there: a single character, or what merges make. */
  private boolean arises(String text) {
    return text.codePointCount(0, text.length()) == 1 || order.containsKey(text);
  }
}
