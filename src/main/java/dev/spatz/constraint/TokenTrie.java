package dev.spatz.constraint;

import dev.spatz.tokenizer.SpecialToken;
import dev.spatz.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The bytes of a vocabulary's tokens by their beginnings; special tokens have none. */
final class TokenTrie {
  private final List<byte[]> bytes = new ArrayList<>();
  private final int[] sorted;

  TokenTrie(Tokenizer tokenizer) {
    Set<Integer> special = new HashSet<>();
    for (SpecialToken token : tokenizer.specialTokens()) {
      special.add(token.id());
    }
    List<Integer> ids = new ArrayList<>();
    for (int id = 0; id < tokenizer.vocabularySize(); id++) {
      byte[] own = special.contains(id) ? new byte[0] : tokenizer.tokenBytes(id);
      bytes.add(own);
      if (own.length > 0) {
        ids.add(id);
      }
    }
    ids.sort(Comparator.comparing(bytes::get, Arrays::compareUnsigned));
    sorted = ids.stream().mapToInt(Integer::intValue).toArray();
  }

  int size() {
    return bytes.size();
  }

  byte[] bytes(int id) {
    return bytes.get(id);
  }

  /** Hears of the tokens that can come. */
  interface Visitor {
    void token(int id, Machine.State after);
  }

  /** Walks over the tokens whose bytes the machine can take from a state on. */
  void walk(Machine.State from, Visitor visitor) {
    Machine.State[] path = new Machine.State[1 + longest()];
    path[0] = from;
    int depth = 0; // bytes of the previous token that the machine has taken
    byte[] previous = new byte[0];
    for (int i = 0; i < sorted.length; i++) {
      byte[] token = bytes.get(sorted[i]);
      int common = Arrays.mismatch(previous, token);
      common = common < 0 ? token.length : common;
      if (depth < common) {
        continue; // the same beginning, which could not come
      }
      depth = Math.min(depth, common);
      while (depth < token.length) {
        Machine.State next = path[depth].after(token[depth] & 0xFF);
        if (next == null) {
          break;
        }
        path[++depth] = next;
      }
      previous = token;
      if (depth == token.length) {
        visitor.token(sorted[i], path[depth]);
      }
    }
  }

  private int longest() {
    return bytes.stream().mapToInt(own -> own.length).max().orElse(0);
  }
}
