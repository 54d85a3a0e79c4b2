package dev.spatz.dataset;

import java.lang.Character.UnicodeScript;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Counts what a {@link CorpusReport} tells. */
final class CorpusInspector implements WholeDocuments.Reader {
  private final SeenDocuments seen;
  private final Map<UnicodeScript, Long> scripts = new EnumMap<>(UnicodeScript.class);
  private final Map<String, Long> odd = new TreeMap<>();
  private final Map<String, Integer> examples = new TreeMap<>();
  private long[] lengths = new long[16];
  private int filled;
  private long documents;
  private long characters;
  private long exact;
  private long near;

  CorpusInspector(double similarity) {
    this.seen = new SeenDocuments(similarity);
  }

  @Override
  public void document(String text) {
    documents++;
    if (text.isEmpty()) {
      return;
    }
    text.codePoints().forEach(this::count);
    long length = text.codePointCount(0, text.length());
    characters += length;
    if (filled == lengths.length) {
      lengths = Arrays.copyOf(lengths, 2 * filled);
    }
    lengths[filled++] = length;
    switch (seen.add(text)) {
      case EXACT -> exact++;
      case NEAR -> near++;
      case NO -> {}
    }
  }

  private void count(int character) {
    if (Character.isLetter(character)) {
      scripts.merge(UnicodeScript.of(character), 1L, Long::sum);
    }
    String kind = kind(character);
    if (kind != null) {
      odd.merge(kind, 1L, Long::sum);
      examples.putIfAbsent(kind, character);
    }
  }

  /** What is odd about a character, or null. */
  private static @Nullable String kind(int character) {
    return switch (character) {
      case '\t', '\n', '\r' -> null;
      case 0xFFFD -> "replacement characters, lost in an earlier conversion";
      case 0xFEFF -> "byte order marks";
      case 0xAD -> "soft hyphens";
      case 0x200B, 0x2060 -> "zero-width spaces";
      default ->
          switch (Character.getType(character)) {
            case Character.CONTROL -> "control characters";
            case Character.PRIVATE_USE -> "private-use characters";
            case Character.UNASSIGNED -> "unassigned characters";
            default -> null;
          };
    };
  }

  CorpusReport report() {
    long[] sorted = Arrays.copyOf(lengths, filled);
    Arrays.sort(sorted);
    CorpusReport.Lengths of =
        filled == 0
            ? new CorpusReport.Lengths(0, 0, 0)
            : new CorpusReport.Lengths(sorted[0], sorted[(filled - 1) / 2], sorted[filled - 1]);
    Map<String, Long> byNumber = new LinkedHashMap<>();
    scripts.entrySet().stream()
        .sorted(Map.Entry.comparingByValue(Comparator.reverseOrder()))
        .forEach(entry -> byNumber.put(name(entry.getKey()), entry.getValue()));
    Map<String, Long> withExamples = new TreeMap<>();
    odd.forEach(
        (kind, count) ->
            withExamples.put(
                String.format(Locale.ROOT, "%s (such as U+%04X)", kind, examples.get(kind)),
                count));
    return new CorpusReport(
        documents, documents - filled, characters, of, byNumber, withExamples, exact, near);
  }

  private static String name(UnicodeScript script) {
    String name = script.name();
    return name.charAt(0) + name.substring(1).toLowerCase(Locale.ROOT);
  }
}
