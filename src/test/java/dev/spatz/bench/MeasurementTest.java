package dev.spatz.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class MeasurementTest {
  private static final double[] SECONDS = {0.004, 0.001, 1.5, 0.002, 0.003};

  @Test
  void line_hasMedianMinimumAndFigures() {
    Measurement measurement = Measurement.of("train x", "tiny", "step", SECONDS, "5 a/s", "6 b/s");
    assertEquals(
        "train x      tiny" + " ".repeat(87) + "3.000 ms/step  min       1.000 | 5 a/s | 6 b/s",
        measurement.toString());
  }

  @Test
  void lines_areAligned() {
    String small = Measurement.of("a", "b", "step", new double[] {0.001}, "c").toString();
    String large = Measurement.of("tokenize", "more", "token", new double[] {500}, "c").toString();
    assertEquals(small.indexOf(" ms/"), large.indexOf(" ms/"));
    assertEquals(small.indexOf('|'), large.indexOf('|'));
    assertTrue(large.contains("500,000.000 ms/token"), large);
  }

  @Test
  void line_isTheSameInEveryLocale() {
    Locale locale = Locale.getDefault();
    try {
      Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
      line_hasMedianMinimumAndFigures();
    } finally {
      Locale.setDefault(locale);
    }
  }

  @Test
  void median_ofEvenlyManyTimes_isTheMeanOfTheMiddleOnes() {
    assertEquals(2.5, Measurement.median(new double[] {4, 1, 2, 3}));
  }

  @Test
  void peakMemory_isTheHighWaterMarkOfTheStatus() {
    List<String> status = List.of("Name:\tjava", "VmPeak:\t 9 kB", "VmHWM:\t  2048 kB", "VmRSS: 7");
    assertEquals(OptionalLong.of(2048), PeakMemory.kib(status));
    assertEquals("     2 MiB peak", PeakMemory.figure(PeakMemory.kib(status)));
  }

  @Test
  void peakMemory_whereTheSystemDoesNotTell_isUnknown() {
    assertEquals(OptionalLong.empty(), PeakMemory.kib(List.of("VmPeak:\t 9 kB")));
    assertEquals("unknown peak memory", PeakMemory.figure(OptionalLong.empty()));
  }
}
