package dev.spatz.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Checks what a byte pair tokenizer is made of, and finds ids by bytes. */
final class Vocabulary {
  /** Bytes by id; the special tokens' contents included. */
  final List<byte[]> tokens = new ArrayList<>();

  /** By rising id. */
  final List<SpecialToken> specialTokens;

  /** Ids of the tokens that text consists of, by their bytes read as Latin-1. */
  private final Map<String, Integer> ids = new HashMap<>();

  Vocabulary(List<byte[]> vocabulary, Collection<SpecialToken> specialTokens) {
    this.specialTokens =
        specialTokens.stream().sorted(Comparator.comparingInt(SpecialToken::id)).toList();
    for (byte @Nullable [] bytes : vocabulary) {
      tokens.add(bytes == null ? new byte[0] : bytes.clone());
    }
    Set<Integer> special = addSpecialTokens();
    Map<String, Integer> all = new HashMap<>();
    for (int id = 0; id < tokens.size(); id++) {
      byte[] bytes = tokens.get(id);
      if (bytes.length == 0) {
        throw new IllegalArgumentException(
            "id " + id + " has no token; the ids of a vocabulary have no holes");
      }
      Integer before = all.put(latin1(bytes), id);
      if (before != null) {
        throw new IllegalArgumentException(
            "token " + spell(bytes) + " is twice in the vocabulary, ids " + before + " and " + id);
      }
      if (!special.contains(id)) {
        ids.put(latin1(bytes), id);
      }
    }
  }

  /** Ids of the tokens of one byte, by the byte. */
  int[] byteIds() {
    int[] byteIds = new int[256];
    for (int b = 0; b < 256; b++) {
      byte[] bytes = {(byte) b};
      Integer id = ids.get(latin1(bytes));
      if (id == null) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "byte 0x%02X (%s) has no token; a byte-level vocabulary has one for each of the"
                    + " 256 bytes",
                b,
                spell(bytes)));
      }
      byteIds[b] = id;
    }
    return byteIds;
  }

  /** The tokens that text consists of, by id; null for the special ones. */
  List<byte @Nullable []> ordinaryTokens() {
    List<byte @Nullable []> ordinary = new ArrayList<>(tokens);
    specialTokens.forEach(token -> ordinary.set(token.id(), null));
    return ordinary;
  }

  /** The id that each merge makes. */
  int[] results(List<Merge> merges) {
    int[] results = new int[merges.size()];
    for (int rank = 0; rank < results.length; rank++) {
      byte[] left = part(merges.get(rank).left(), rank);
      byte[] right = part(merges.get(rank).right(), rank);
      Integer id = ids.get(latin1(left) + latin1(right));
      if (id == null) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "merge %d joins %s and %s, but the vocabulary has no token of their joined bytes",
                rank,
                spell(left),
                spell(right)));
      }
      results[rank] = id;
    }
    return results;
  }

  /** The id of the special token with this content. */
  int specialId(String content) {
    return specialTokens.stream()
        .filter(token -> token.content().equals(content))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "there is no special token "
                        + content
                        + " to end a document; the special tokens are "
                        + specialTokens))
        .id();
  }

  /** What each id adds to a text. */
  TokenBytes texts() {
    List<byte[]> texts = new ArrayList<>(tokens);
    specialTokens.forEach(token -> texts.set(token.id(), new byte[0]));
    return new TokenBytes(texts);
  }

  static String spell(byte[] bytes) {
    return "'" + ByteLevel.toCharacters(bytes) + "'";
  }

  static String latin1(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  /** Special tokens either stand in the vocabulary, with their content, or continue its ids. */
  private Set<Integer> addSpecialTokens() {
    Set<Integer> special = new HashSet<>();
    for (SpecialToken token : specialTokens) {
      byte[] content = token.content().getBytes(StandardCharsets.UTF_8);
      if (!special.add(token.id())) {
        throw new IllegalArgumentException("id " + token.id() + " has two special tokens");
      }
      if (token.id() == tokens.size()) {
        tokens.add(content);
      } else if (token.id() > tokens.size()) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "special token %s has id %d, but id %d has no token; the ids of a vocabulary have"
                    + " no holes",
                token.content(),
                token.id(),
                tokens.size()));
      } else if (!Arrays.equals(tokens.get(token.id()), content)) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "special token %s has id %d, which the vocabulary gives to another token",
                token.content(),
                token.id()));
      }
    }
    return special;
  }

  private byte[] part(int id, int rank) {
    if (id < 0 || id >= tokens.size() || !ids.containsKey(latin1(tokens.get(id)))) {
      throw new IllegalArgumentException(
          "merge "
              + rank
              + " joins id "
              + id
              + ", which is no token of the vocabulary that text consists of");
    }
    return tokens.get(id);
  }
}
