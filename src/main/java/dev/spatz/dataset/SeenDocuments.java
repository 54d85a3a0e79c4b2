package dev.spatz.dataset;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Remembers documents and recognises them again: the same ones, and near ones by their {@link
 * MinHash} signatures, which are looked up by bands of places (locality-sensitive hashing, Indyk
 * and Motwani 1998). Takes about two kilobytes a document.
 */
final class SeenDocuments {
  /** Texts with a similarity of s share a band with probability 1 − (1 − s⁴)³²: 0.9997 at 0.7. */
  private static final int BAND = 4;

  private final double similarity;
  private final MinHash hash = new MinHash();
  private final Set<String> exact = new HashSet<>();
  private final List<int[]> signatures = new ArrayList<>();
  private final Map<Long, List<Integer>> bands = new HashMap<>();

  /** How a document was known. */
  enum Known {
    NO,
    NEAR,
    EXACT
  }

  /**
   * Remembers nothing yet.
   *
   * @param similarity from which a document counts as near, above 0.5 and at most 1
   */
  SeenDocuments(double similarity) {
    this.similarity = requireSimilarity(similarity);
  }

  static double requireSimilarity(double similarity) {
    if (!(similarity > 0.5 && similarity <= 1)) {
      throw new IllegalArgumentException(
          "similarity (" + similarity + ") must be above 0.5 and at most 1");
    }
    return similarity;
  }

  /** Whether a document is known. */
  Known find(String text) {
    return exact.contains(digest(text)) ? Known.EXACT : near(hash.signature(text));
  }

  /** Remembers a document if it is not known; says whether it was. */
  Known add(String text) {
    if (!exact.add(digest(text))) {
      return Known.EXACT;
    }
    int[] signature = hash.signature(text);
    Known known = near(signature);
    if (known == Known.NO) {
      signatures.add(signature);
      for (int band = 0; band < MinHash.SIZE / BAND; band++) {
        bands
            .computeIfAbsent(key(signature, band), any -> new ArrayList<>(1))
            .add(signatures.size() - 1);
      }
    }
    return known;
  }

  private Known near(int[] signature) {
    for (int band = 0; band < MinHash.SIZE / BAND; band++) {
      for (int candidate : bands.getOrDefault(key(signature, band), List.of())) {
        if (MinHash.similarity(signature, signatures.get(candidate)) >= similarity) {
          return Known.NEAR;
        }
      }
    }
    return Known.NO;
  }

  private static long key(int[] signature, int band) {
    long places =
        Arrays.hashCode(Arrays.copyOfRange(signature, band * BAND, (band + 1) * BAND))
            & 0xFFFFFFFFL;
    return (long) band << Integer.SIZE | places;
  }

  private static String digest(String text) {
    TextDigest digest = new TextDigest();
    digest.text(text);
    return TextDigest.hexadecimal(digest.digest());
  }
}
