package dev.spatz.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CorpusReportTest {
  private static final String LONG =
      "Die Spatzen pfeifen es von den Dächern, dass der Winter kommt und die Körner knapp werden.";

  private static List<String> documents(Corpus corpus) throws IOException {
    List<String> all = new ArrayList<>();
    corpus.forEach(new WholeDocuments(all::add));
    return all;
  }

  @Test
  void exactAndNearDuplicates_areLeftOut_theFirstStays() throws IOException {
    String near = LONG.replace("knapp", "rar");
    String spaced = LONG.toUpperCase().replace(" ", "  ");
    String other = "Etwas ganz anderes: drei Chinesen mit dem Kontrabass saßen auf der Straße.";
    Corpus corpus = Corpus.of(List.of(LONG, other, LONG, near, spaced, "", ""));
    assertEquals(List.of(LONG, other, ""), documents(corpus.withoutDuplicates(0.8)));
    assertEquals(
        List.of(LONG, other, near, ""), documents(corpus.withoutDuplicates(1)), "case and gaps");
  }

  @Test
  void everyVisit_leavesOutTheSame() throws IOException {
    Corpus corpus = Corpus.of(List.of(LONG, LONG)).withoutDuplicates(0.9);
    assertEquals(List.of(LONG), documents(corpus));
    assertEquals(List.of(LONG), documents(corpus));
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.5, 1.01, Double.NaN})
  void similarityOutOfRange_isRefused(double similarity) {
    Corpus corpus = Corpus.of(List.of("a"));
    assertThrows(IllegalArgumentException.class, () -> corpus.withoutDuplicates(similarity));
  }

  /** Against the definition: shingles in common over all shingles. */
  @Test
  void signatures_estimateTheJaccardSimilarity() {
    MinHash hash = new MinHash();
    Random random = new Random(7);
    for (int trial = 0; trial < 50; trial++) {
      String a =
          random
              .ints(300, 'a', 'e')
              .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
              .toString();
      String b = a.substring(random.nextInt(200)) + "xyz".repeat(random.nextInt(60));
      double expected = jaccard(a, b);
      double estimate = MinHash.similarity(hash.signature(a), hash.signature(b));
      assertEquals(expected, estimate, 4 * 0.045);
    }
  }

  private static double jaccard(String a, String b) {
    Set<String> both = shingles(a);
    Set<String> all = new HashSet<>(both);
    both.retainAll(shingles(b));
    all.addAll(shingles(b));
    return (double) both.size() / all.size();
  }

  private static Set<String> shingles(String text) {
    Set<String> shingles = new HashSet<>();
    for (int i = 0; i + 5 <= text.length(); i++) {
      shingles.add(text.substring(i, i + 5));
    }
    return shingles;
  }

  @Test
  void report_countsWhatIsThere() throws IOException {
    CorpusReport report =
        CorpusReport.of(
            Corpus.of(
                List.of("abc", "", "где?", "a\u0000\uFFFD\u200Bb\t😀", "abc", LONG, LONG + "!")));
    assertEquals(7, report.documents());
    assertEquals(1, report.emptyDocuments());
    assertEquals(3 + 4 + 7 + 3 + 2L * LONG.length() + 1, report.characters());
    assertEquals(new CorpusReport.Lengths(3, 4, LONG.length() + 1), report.lengths());
    assertEquals(List.of("Latin", "Cyrillic"), List.copyOf(report.scripts().keySet()));
    assertEquals(3, report.scripts().get("Cyrillic"));
    assertEquals(
        Map.of(
            "control characters (such as U+0000)", 1L,
            "replacement characters, lost in an earlier conversion (such as U+FFFD)", 1L,
            "zero-width spaces (such as U+200B)", 1L),
        report.oddCharacters());
    assertEquals(1, report.exactDuplicates());
    assertEquals(1, report.nearDuplicates());
    assertTrue(report.toString().contains("Cyrillic"), report.toString());
    assertTrue(report.toString().contains("; a document has 3 to "), report.toString());
  }

  @Test
  void reportOfOneDocument_saysSo() throws IOException {
    String report = CorpusReport.of(Corpus.of(List.of(LONG))).toString();
    assertTrue(report.contains("none; a text file is one document"), report);
    assertTrue(!report.contains("a document has"), report);
  }

  @Test
  void reportOfNothing_isZeros() throws IOException {
    CorpusReport report = CorpusReport.of(Corpus.of((Iterable<String>) List.<String>of()));
    assertEquals(0, report.documents());
    assertTrue(report.toString().contains("scripts          none"), report.toString());
  }

  @Test
  void overlap_findsWhatIsMeasuredAndTrainedOn() throws IOException {
    Corpus train = Corpus.of(List.of(LONG, "drei Chinesen mit dem Kontrabass"));
    Corpus validation = Corpus.of(List.of("neu und noch nie gesehen", LONG, LONG + "!"));
    assertEquals(new CorpusReport.Overlap(3, 1, 1), CorpusReport.overlap(train, validation));
  }
}
