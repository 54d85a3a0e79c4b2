package dev.spatz.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Byte-level byte pair encoding of texts whose splitting is written by hand. Most pieces of a text
 * are tokens as a whole: they are looked up in one table. The others are merged, and remembered.
 */
final class ByteLevelEncoder {
  private final Splitter splitter;
  private final int[] byteIds;
  private final MergeTable merges;
  private final ShortPieces tokens;
  private final @Nullable Map<String, Integer> wholeTokens;
  private final PieceCache cache = new PieceCache();

  /**
   * @param byteIds the token of each byte
   * @param vocabulary the bytes of the tokens by id; null for those that no text becomes
   * @param ignoreMerges whether a piece that is in the vocabulary is that token, whatever the
   *     merges make of it
   */
  ByteLevelEncoder(
      Splitter splitter,
      int[] byteIds,
      MergeTable merges,
      List<byte @Nullable []> vocabulary,
      boolean ignoreMerges) {
    this.splitter = splitter;
    this.byteIds = byteIds;
    this.merges = merges;
    tokens = new ShortPieces(vocabulary.size());
    wholeTokens = ignoreMerges ? new HashMap<>() : null;
    PieceMerger merger = merger();
    for (int id = 0; id < vocabulary.size(); id++) {
      byte[] token = vocabulary.get(id);
      if (token == null) {
        continue;
      }
      if (token.length > ShortPieces.LONGEST) {
        if (wholeTokens != null) {
          wholeTokens.put(Vocabulary.latin1(token), id);
        }
      } else if (ignoreMerges || merges(token, merger)) {
        tokens.put(token, id);
      }
    }
  }

  /** Whether the merges make one token of some bytes. */
  private boolean merges(byte[] token, PieceMerger merger) {
    return merge(token, 0, token.length, merger).length == 1;
  }

  PieceMerger merger() {
    return new PieceMerger(merges);
  }

  /** Appends the ids of a text, which is well-formed UTF-8. */
  void encode(byte[] utf8, IdList ids) {
    PieceMerger merger = merger();
    for (int start = 0, end; start < utf8.length; start = end) {
      end = splitter.end(utf8, start, utf8.length);
      int length = end - start;
      int id = length <= ShortPieces.LONGEST ? tokens.get(utf8, start, length) : -1;
      if (id >= 0) {
        ids.add(id);
      } else {
        ids.addAll(remembered(utf8, start, end, merger));
      }
    }
  }

  private int[] remembered(byte[] utf8, int start, int end, PieceMerger merger) {
    if (end - start > PieceCache.LONGEST) {
      return encode(utf8, start, end, merger);
    }
    int hash = PieceCache.hash(utf8, start, end);
    int[] known = cache.get(utf8, start, end, hash);
    if (known == null) {
      known = encode(utf8, start, end, merger);
      cache.put(Arrays.copyOfRange(utf8, start, end), hash, known);
    }
    return known;
  }

  private int[] encode(byte[] utf8, int start, int end, PieceMerger merger) {
    if (wholeTokens != null && end - start > ShortPieces.LONGEST) {
      Integer id =
          wholeTokens.get(new String(utf8, start, end - start, StandardCharsets.ISO_8859_1));
      if (id != null) {
        return new int[] {id};
      }
    }
    return merge(utf8, start, end, merger);
  }

  private int[] merge(byte[] utf8, int start, int end, PieceMerger merger) {
    int[] ids = new int[end - start];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = byteIds[utf8[start + i] & 0xFF];
    }
    return Arrays.copyOf(ids, merger.merge(ids, ids.length));
  }
}
