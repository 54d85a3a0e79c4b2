package dev.spatz.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A byte-level vocabulary whose ids are ranks, as tiktoken has it: of a text's bytes, the two
 * neighbours whose joined bytes are the token of the lowest rank become that token, again and
 * again.
 *
 * <p>Of all pairs that make a token, one alone can come before it: what lies between a token's
 * first and last byte is merged without regard to the text around it, so it is the pair that the
 * token's own bytes end in. Those pairs, by rank, are merges with the same result. A token whose
 * own bytes end in something else is found only where it is a whole piece of text.
 */
public final class TokenRanks {
  private final List<Merge> merges = new ArrayList<>();
  private final boolean allMerged;

  /**
   * Finds the merges.
   *
   * @param tokens their bytes by rank
   * @throws IllegalArgumentException if one of the 256 bytes has no token, or a token has no bytes,
   *     or is there twice
   */
  public TokenRanks(List<byte[]> tokens) {
    Vocabulary vocabulary = new Vocabulary(tokens, List.of());
    int[] byteIds = vocabulary.byteIds();
    PairMap ranks = new PairMap(tokens.size());
    int[] results = new int[tokens.size()];
    Arrays.setAll(results, id -> id);
    PieceMerger merger = new PieceMerger(new MergeTable(ranks, results));
    boolean all = true;
    for (int id = 0; id < results.length; id++) {
      byte[] bytes = tokens.get(id);
      if (bytes.length == 1) {
        continue;
      }
      // So far the table has the merges of lower ranks alone.
      int[] parts = new int[bytes.length];
      Arrays.setAll(parts, i -> byteIds[bytes[i] & 0xFF]);
      if (merger.merge(parts, parts.length) == 2) {
        ranks.put(PairMap.key(parts[0], parts[1]), id);
        merges.add(new Merge(parts[0], parts[1]));
      } else {
        all = false;
      }
    }
    allMerged = all;
  }

  /** {@return the merges by rank} */
  public List<Merge> merges() {
    return merges;
  }

  /** {@return whether the merges make every token} */
  public boolean areAllMerged() {
    return allMerged;
  }
}
