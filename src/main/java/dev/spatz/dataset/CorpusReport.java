package dev.spatz.dataset;

import dev.spatz.dataset.SeenDocuments.Known;
import java.io.IOException;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What a corpus contains, to be looked at before training on it.
 *
 * @param documents number of documents
 * @param emptyDocuments of them without any text
 * @param characters Unicode code points of all
 * @param lengths of the documents that are not empty, in code points
 * @param scripts letters of each script by falling number, by the script's Unicode name
 * @param oddCharacters number of each kind of character that text seldom has on purpose
 * @param exactDuplicates documents that came before, to the letter
 * @param nearDuplicates documents that resemble an earlier one, see {@link
 *     Corpus#withoutDuplicates}
 */
public record CorpusReport(
    long documents,
    long emptyDocuments,
    long characters,
    Lengths lengths,
    Map<String, Long> scripts,
    Map<String, Long> oddCharacters,
    long exactDuplicates,
    long nearDuplicates) {

  /** Similarity from which documents count as near duplicates. */
  public static final double NEAR = 0.8;

  /** Keeps copies of the maps, in their order. */
  public CorpusReport {
    scripts = Collections.unmodifiableMap(new LinkedHashMap<>(scripts));
    oddCharacters = Collections.unmodifiableMap(new LinkedHashMap<>(oddCharacters));
  }

  /** The shortest, the middle and the longest of the documents that are not empty, or zeros. */
  public record Lengths(long shortest, long median, long longest) {}

  /**
   * How many documents of one corpus are in another.
   *
   * @param documents of the corpus to measure with
   * @param exact of them that are in the other to the letter
   * @param near of them that resemble one of the other
   */
  public record Overlap(long documents, long exact, long near) {}

  /**
   * Reads a corpus once. Whole documents are held in memory one at a time, and about two kilobytes
   * of each.
   *
   * @throws IOException as {@link Corpus#forEach}
   */
  public static CorpusReport of(Corpus corpus) throws IOException {
    CorpusInspector inspector = new CorpusInspector(NEAR);
    corpus.forEach(new WholeDocuments(inspector));
    return inspector.report();
  }

  /**
   * Looks for documents to measure with among those to train on, where they would make a model look
   * better than it is.
   *
   * @throws IOException as {@link Corpus#forEach}
   */
  public static Overlap overlap(Corpus train, Corpus validation) throws IOException {
    SeenDocuments seen = new SeenDocuments(NEAR);
    train.forEach(new WholeDocuments(seen::add));
    long[] counts = new long[Known.values().length];
    validation.forEach(new WholeDocuments(text -> counts[seen.find(text).ordinal()]++));
    long exact = counts[Known.EXACT.ordinal()];
    long near = counts[Known.NEAR.ordinal()];
    return new Overlap(counts[Known.NO.ordinal()] + exact + near, exact, near);
  }

  /** Several lines for people. */
  @Override
  public String toString() {
    long letters = scripts.values().stream().mapToLong(Long::longValue).sum();
    String parts =
        scripts.entrySet().stream()
            .map(entry -> part(entry.getKey(), entry.getValue(), letters))
            .collect(Collectors.joining(", "));
    String odd =
        oddCharacters.entrySet().stream()
            .sorted(Map.Entry.comparingByValue(Comparator.reverseOrder()))
            .map(entry -> String.format(Locale.ROOT, "%,d %s", entry.getValue(), entry.getKey()))
            .collect(Collectors.joining(", "));
    return String.format(
        Locale.ROOT,
        """
        documents        %,d (%,d empty)
        characters       %,d%s
        scripts          %s
        odd characters   %s
        duplicates       %s""",
        documents,
        emptyDocuments,
        characters,
        documents == 1
            ? ""
            : String.format(
                Locale.ROOT,
                "; a document has %,d to %,d, half of them at most %,d",
                lengths.shortest,
                lengths.longest,
                lengths.median),
        parts.isEmpty() ? "none" : parts,
        odd.isEmpty() ? "none" : odd,
        documents == 1
            ? "none; a text file is one document"
            : String.format(
                Locale.ROOT,
                "%,d exact, %,d near (%.0f %% of their runs of five characters in common, or more)",
                exactDuplicates,
                nearDuplicates,
                100 * NEAR));
  }

  private static String part(String script, long count, long letters) {
    return String.format(Locale.ROOT, "%s %.2f %%", script, 100.0 * count / letters);
  }
}
