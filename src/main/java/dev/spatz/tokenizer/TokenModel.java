package dev.spatz.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Turns a pre-token into ids. Immutable, but for what an {@link Encoder} needs. */
public sealed interface TokenModel {
  /** {@return the tokens by id; those of a file's {@code vocab} and the added ones} */
  List<String> vocabulary();

  /** {@return the spelling of the token for what the vocabulary lacks, or null} */
  @Nullable String unknown();

  /**
   * The same model, but that no text becomes some of its tokens: a special token, or an added one
   * that the model itself does not have. An unknown token still stands for what it stands for.
   */
  TokenModel without(Set<Integer> ids);

  /** {@return what one call of one thread encodes with} */
  Encoder encoder();

  /** Encodes pre-tokens, for one thread. */
  @FunctionalInterface
  interface Encoder {
    /** {@return the ids of a pre-token that is not empty} */
    int[] encode(String piece);
  }

  /** Ids by token. */
  private static Map<String, Integer> ids(List<String> vocabulary) {
    Map<String, Integer> ids = new HashMap<>(vocabulary.size() * 2);
    for (int id = 0; id < vocabulary.size(); id++) {
      Integer before = ids.put(vocabulary.get(id), id);
      if (before != null) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "token '%s' is twice in the vocabulary, ids %d and %d",
                vocabulary.get(id),
                before,
                id));
      }
    }
    return ids;
  }

  private static int unknownId(Map<String, Integer> ids, @Nullable String unknown) {
    if (unknown == null) {
      return -1;
    }
    Integer id = ids.get(unknown);
    if (id == null) {
      throw new IllegalArgumentException(
          "the unknown token '" + unknown + "' is not in the vocabulary");
    }
    return id;
  }

  /** One id for each pre-token. */
  final class WordLevel implements TokenModel {
    private final List<String> vocabulary;
    private final Map<String, Integer> ids;
    private final @Nullable String unknown;
    private final int unknownId;

    /**
     * A model of words.
     *
     * @throws IllegalArgumentException if a word is twice in the vocabulary
     */
    public WordLevel(List<String> vocabulary, @Nullable String unknown) {
      this.vocabulary = List.copyOf(vocabulary);
      this.unknown = unknown;
      ids = ids(vocabulary);
      unknownId = ids.getOrDefault(unknown == null ? "" : unknown, -1);
    }

    private WordLevel(WordLevel other, Set<Integer> without) {
      vocabulary = other.vocabulary;
      unknown = other.unknown;
      unknownId = other.unknownId;
      ids = new HashMap<>(other.ids);
      without.forEach(id -> ids.remove(vocabulary.get(id)));
    }

    @Override
    public WordLevel without(Set<Integer> ids) {
      return ids.isEmpty() ? this : new WordLevel(this, ids);
    }

    @Override
    public List<String> vocabulary() {
      return vocabulary;
    }

    @Override
    public @Nullable String unknown() {
      return unknown;
    }

    @Override
    public Encoder encoder() {
      return piece -> {
        int id = ids.getOrDefault(piece, unknownId);
        if (id < 0) {
          throw new IllegalArgumentException(
              "'" + piece + "' is not in the vocabulary, which has no token for unknown words");
        }
        return new int[] {id};
      };
    }
  }

  /** Byte pair encoding of characters (for a byte-level vocabulary, these spell bytes). */
  final class BytePair implements TokenModel {
    private static final int MISSING = -1;

    private final List<String> vocabulary;
    private final List<Merge> merges;
    private final BytePairOptions options;
    private final Map<String, Integer> ids;
    private final int[] characters;
    private final int[] byteIds;
    private final int unknownId;
    private final int[] results;
    private final MergeTable table;

    /**
     * A model of merges.
     *
     * @throws IllegalArgumentException if a token is twice in the vocabulary, a merge joins what is
     *     not in it or makes what is not in it, or is repeated
     */
    public BytePair(List<String> vocabulary, List<Merge> merges, BytePairOptions options) {
      this.vocabulary = List.copyOf(vocabulary);
      this.merges = List.copyOf(merges);
      this.options = options;
      ids = ids(vocabulary);
      unknownId = unknownId(ids, options.unknown());
      characters = new int[1 << 16];
      Arrays.fill(characters, MISSING);
      ids.forEach(
          (token, id) -> {
            if (token.length() == 1) {
              characters[token.charAt(0)] = id;
            }
          });
      byteIds = new int[256];
      for (int b = 0; b < 256; b++) {
        byteIds[b] = ids.getOrDefault(String.format(Locale.ROOT, "<0x%02X>", b), MISSING);
      }
      results = results();
      table = new MergeTable(this.merges, results);
    }

    private BytePair(BytePair other, Set<Integer> without) {
      vocabulary = other.vocabulary;
      merges = other.merges;
      options = other.options;
      unknownId = other.unknownId;
      results = other.results;
      byteIds = other.byteIds;
      table = other.table.without(without);
      characters = other.characters.clone();
      ids = new HashMap<>(other.ids);
      for (int id : without) {
        String token = vocabulary.get(id);
        ids.remove(token);
        if (token.length() == 1) {
          characters[token.charAt(0)] = MISSING;
        }
      }
    }

    @Override
    public BytePair without(Set<Integer> ids) {
      return ids.isEmpty() ? this : new BytePair(this, ids);
    }

    /**
     * What encodes texts of a byte-level vocabulary by a splitter, or null if a byte has no token.
     */
    @Nullable ByteLevelEncoder byteLevel(Splitter splitter) {
      int[] tokensOfBytes = new int[256];
      for (int b = 0; b < 256; b++) {
        tokensOfBytes[b] = characters[ByteLevel.toCharacters((byte) b).charAt(0)];
        if (tokensOfBytes[b] == MISSING) {
          return null;
        }
      }
      List<byte @Nullable []> bytes = new ArrayList<>(vocabulary.size());
      for (String token : vocabulary) {
        boolean spelled = ids.containsKey(token) && ByteLevel.spells(token);
        bytes.add(spelled ? ByteLevel.toBytes(token) : null);
      }
      return new ByteLevelEncoder(splitter, tokensOfBytes, table, bytes, options.ignoreMerges());
    }

    private int[] results() {
      int[] results = new int[merges.size()];
      for (int rank = 0; rank < results.length; rank++) {
        Merge merge = merges.get(rank);
        String joined = token(merge.left(), rank) + token(merge.right(), rank);
        Integer id = ids.get(joined);
        if (id == null) {
          throw new IllegalArgumentException(
              String.format(
                  Locale.ROOT,
                  "merge %d makes '%s', which is not in the vocabulary",
                  rank,
                  joined));
        }
        results[rank] = id;
      }
      return results;
    }

    private String token(int id, int rank) {
      if (id < 0 || id >= vocabulary.size()) {
        throw new IllegalArgumentException(
            String.format(Locale.ROOT, "merge %d joins id %d, which is no token", rank, id));
      }
      return vocabulary.get(id);
    }

    @Override
    public List<String> vocabulary() {
      return vocabulary;
    }

    @Override
    public @Nullable String unknown() {
      return options.unknown();
    }

    /** {@return the merges by rank} */
    public List<Merge> merges() {
      return merges;
    }

    /** {@return what it was made with} */
    public BytePairOptions options() {
      return options;
    }

    @Override
    public Encoder encoder() {
      PieceMerger merger = merger();
      return piece -> encode(piece, merger);
    }

    PieceMerger merger() {
      return new PieceMerger(table);
    }

    int[] encode(String piece, PieceMerger merger) {
      if (options.ignoreMerges()) {
        Integer whole = ids.get(piece);
        if (whole != null) {
          return new int[] {whole};
        }
      }
      int[] symbols = new int[piece.length() * (options.byteFallback() ? 3 : 1)];
      int n = 0;
      boolean fusing = false;
      for (int i = 0, next; i < piece.length(); i = next) {
        char c = piece.charAt(i);
        next = i + (Character.isHighSurrogate(c) ? 2 : 1);
        int id =
            next == i + 1 ? characters[c] : ids.getOrDefault(piece.substring(i, next), MISSING);
        if (id != MISSING) {
          symbols[n++] = id;
          fusing = false;
          continue;
        }
        int bytes = options.byteFallback() ? fallback(piece.substring(i, next), symbols, n) : 0;
        n += bytes;
        if (bytes == 0 && unknownId >= 0) {
          if (!fusing) {
            symbols[n++] = unknownId;
          }
          fusing = options.fuseUnknown();
        }
      }
      return Arrays.copyOf(symbols, merger.merge(symbols, n));
    }

    /** Writes the ids of the bytes of a character; none if one is missing. */
    private int fallback(String character, int[] symbols, int at) {
      byte[] utf8 = character.getBytes(StandardCharsets.UTF_8);
      for (int i = 0; i < utf8.length; i++) {
        int id = byteIds[utf8[i] & 0xFF];
        if (id == MISSING) {
          return 0;
        }
        symbols[at + i] = id;
      }
      return utf8.length;
    }
  }

  /**
   * How byte pair encoding is done.
   *
   * @param unknown the spelling of the token for characters that the vocabulary lacks; without it
   *     they are left out
   * @param fuseUnknown whether several such characters beside each other become one token
   * @param byteFallback whether such characters become the tokens {@code <0x00>} to {@code <0xFF>}
   *     of their bytes
   * @param ignoreMerges whether a pre-token that is in the vocabulary is that token, whatever the
   *     merges make of it
   */
  record BytePairOptions(
      @Nullable String unknown, boolean fuseUnknown, boolean byteFallback, boolean ignoreMerges) {}
}
