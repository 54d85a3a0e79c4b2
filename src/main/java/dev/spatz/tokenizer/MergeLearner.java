package dev.spatz.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;

/**
 * The learning of merges, with all counts kept up to date: a merge costs as many steps as it has
 * occurrences among the different words, not a pass over the text.
 *
 * <p>The different words lie in one array, one place per byte, with {@link #BORDER} around each. A
 * token that covers several places has its id in the first and in the last of them, so that both
 * neighbours of a token are found by the tokens' lengths; the places between are stale. A pair is
 * known by the place of its left token. Each pair has a list of places where it came up; a place
 * where it has gone since is noticed when it is visited.
 */
final class MergeLearner {
  private static final int BORDER = -1;
  private static final int SWALLOWED = -2;

  private final List<byte[]> tokens = new ArrayList<>();
  private final List<Merge> merges = new ArrayList<>();
  private final List<SpecialToken> specialTokens = new ArrayList<>();
  private final Set<String> specialSpellings = new HashSet<>();
  private final Map<String, Integer> idByBytes = new HashMap<>();
  private final int[] byteIds = new int[256];

  private int[] places = {BORDER};
  private int[] wordAt = {0};
  private PieceCounts words = new PieceCounts();

  private final PairMap pairIndex = new PairMap(1 << 12);
  private final List<Pair> pairs = new ArrayList<>();
  private final PriorityQueue<Candidate> queue;
  private long visits;

  MergeLearner(List<String> specialTokens, TieRule tieRule) {
    for (String content : specialTokens) {
      this.specialTokens.add(new SpecialToken(content, tokens.size()));
      byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
      if (bytes.length < 2) {
        throw new IllegalArgumentException(
            "special token '" + content + "' has one byte; it needs two, as every byte is a token");
      }
      if (!specialSpellings.add(Vocabulary.latin1(bytes))) {
        throw new IllegalArgumentException("special token " + content + " is given twice");
      }
      tokens.add(bytes);
    }
    for (byte b : ByteLevel.alphabet()) {
      byteIds[b & 0xFF] = idOf(new byte[] {b});
    }
    queue =
        new PriorityQueue<>(
            Comparator.comparingLong(Candidate::count)
                .reversed()
                .thenComparing(
                    (a, b) -> tieRule.compare(a.pair.key, b.pair.key, id -> tokens.get(id))));
  }

  /** Takes the different words and counts their pairs of bytes. */
  void load(PieceCounts counted) {
    words = counted;
    byte[][] bytes = new byte[counted.size()][];
    int length = 1;
    for (int word = 0; word < bytes.length; word++) {
      bytes[word] = counted.piece(word);
      length = Math.addExact(length, bytes[word].length + 1);
    }
    places = new int[length];
    wordAt = new int[length];
    int at = 0;
    places[at++] = BORDER;
    for (int word = 0; word < bytes.length; word++) {
      for (byte b : bytes[word]) {
        places[at] = byteIds[b & 0xFF];
        wordAt[at++] = word;
      }
      places[at++] = BORDER;
    }
    for (int i = 1; i < length; i++) {
      if (places[i - 1] != BORDER && places[i] != BORDER) {
        pair(places[i - 1], places[i]).add(i - 1, counted.count(wordAt[i]));
      }
    }
    pairs.forEach(this::enqueue);
  }

  /** Merges until the vocabulary has this size or no pair is frequent enough. */
  void learn(int vocabularySize, long minimumFrequency) {
    while (tokens.size() < vocabularySize) {
      Candidate best = queue.poll();
      if (best == null) {
        return;
      }
      if (best.count != best.pair.count) {
        // Counts fall without the queue being told, and rise with a new entry in it.
        if (best.pair.count < best.count) {
          enqueue(best.pair);
        }
      } else if (best.count < minimumFrequency) {
        return;
      } else {
        merge(best.pair);
      }
    }
  }

  /** How many places have been visited by merges so far. */
  long visits() {
    return visits;
  }

  BytePairTokenizer tokenizer() {
    return BytePairTokenizer.of(tokens, merges, specialTokens, specialTokens.get(0).content());
  }

  private void merge(Pair pair) {
    int left = (int) (pair.key >>> 32);
    int right = (int) pair.key;
    byte[] bytes = joined(tokens.get(left), tokens.get(right));
    if (specialSpellings.contains(Vocabulary.latin1(bytes))) {
      return;
    }
    int id = idOf(bytes);
    if (!pair.merged) {
      pair.merged = true;
      merges.add(new Merge(left, right));
    }
    List<Pair> risen = new ArrayList<>();
    int[] occurrences = pair.places;
    int count = pair.size;
    pair.places = new int[0];
    pair.size = 0;
    visits += count;
    for (int i = 0; i < count; i++) {
      int at = occurrences[i];
      int middle = at + tokens.get(left).length;
      if (places[at] == left && places[middle] == right) {
        join(at, middle, id, risen);
      }
    }
    for (Pair p : risen) {
      p.risen = false;
      enqueue(p);
    }
  }

  /** The tokens at two neighbouring places become one. */
  private void join(int at, int middle, int id, List<Pair> risen) {
    int left = places[at];
    int right = places[middle];
    int end = middle + tokens.get(right).length;
    int before = places[at - 1];
    int after = places[end];
    long weight = words.count(wordAt[at]);
    places[middle - 1] = SWALLOWED;
    places[middle] = SWALLOWED;
    places[at] = id;
    places[end - 1] = id;
    pair(left, right).count -= weight;
    if (before != BORDER) {
      pair(before, left).count -= weight;
      raise(pair(before, id), at - tokens.get(before).length, weight, risen);
    }
    if (after != BORDER) {
      pair(right, after).count -= weight;
      raise(pair(id, after), at, weight, risen);
    }
  }

  private static void raise(Pair pair, int place, long weight, List<Pair> risen) {
    pair.add(place, weight);
    if (!pair.risen) {
      pair.risen = true;
      risen.add(pair);
    }
  }

  private void enqueue(Pair pair) {
    if (pair.count > 0) {
      queue.add(new Candidate(pair, pair.count));
    }
  }

  private Pair pair(int left, int right) {
    long key = PairMap.key(left, right);
    int index = pairIndex.get(key);
    if (index != PairMap.ABSENT) {
      return pairs.get(index);
    }
    Pair pair = new Pair(key);
    pairIndex.put(key, pairs.size());
    pairs.add(pair);
    return pair;
  }

  private int idOf(byte[] bytes) {
    return idByBytes.computeIfAbsent(
        Vocabulary.latin1(bytes),
        unknown -> {
          tokens.add(bytes);
          return tokens.size() - 1;
        });
  }

  private static byte[] joined(byte[] left, byte[] right) {
    byte[] joined = Arrays.copyOf(left, left.length + right.length);
    System.arraycopy(right, 0, joined, left.length, right.length);
    return joined;
  }

  private record Candidate(Pair pair, long count) {}

  /** Two neighbouring tokens, and where they came up. */
  private static final class Pair {
    final long key;

    /** How often they stand together now, in the whole text. */
    long count;

    int[] places = new int[2];
    int size;

    /** Whether they are in the list of merges. */
    boolean merged;

    /** Whether the merge under way has added occurrences. */
    boolean risen;

    Pair(long key) {
      this.key = key;
    }

    void add(int place, long weight) {
      if (size == places.length) {
        places = Arrays.copyOf(places, Math.multiplyExact(Math.max(size, 2), 2));
      }
      places[size++] = place;
      count += weight;
    }
  }
}
