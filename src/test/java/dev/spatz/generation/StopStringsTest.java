package dev.spatz.generation;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StopStringsTest {
  /** The same text and end, however the text is cut into pieces. */
  @ParameterizedTest
  @CsvSource({
    "one END two, END, 'one ', true",
    "one EN two, END, one EN two, false",
    "EENDx, END, E, true",
    "aaab, aab, a, true",
    "ababac, abac, ab, true",
    "xabcd, abcd|bc, xa, true",
    "xabc, abc|bc|c, x, true",
    "xyEN, END, xyEN, false",
    "END, END, '', true",
    "🐦🐧, 🐧, 🐦, true"
  })
  void accept_endsBeforeTheFirst(String text, String strings, String expected, boolean found) {
    for (int size = 1; size <= text.length(); size++) {
      StopStrings stops = new StopStrings(List.of(strings.split("\\|")));
      StringBuilder shown = new StringBuilder();
      for (int from = 0; from < text.length(); from += size) {
        shown.append(stops.accept(text.substring(from, Math.min(text.length(), from + size))));
      }
      shown.append(stops.flush());
      assertEquals(expected, shown.toString(), "pieces of " + size);
      assertEquals(found, stops.found());
    }
  }

  @ParameterizedTest
  @CsvSource({"one EN, 'one '", "one, one", "one ENDE, 'one '", "E, ''"})
  void accept_holdsBackOnlyWhatMayBecomeOne(String piece, String certain) {
    assertEquals(certain, new StopStrings(List.of("END")).accept(piece));
  }
}
