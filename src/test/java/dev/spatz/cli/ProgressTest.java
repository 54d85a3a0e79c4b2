package dev.spatz.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.training.Evaluation;
import dev.spatz.training.StepReport;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ProgressTest {
  /** 3 nats a token, a token for 2 bytes: 1.5 / ln 2 = 2.164 bits a byte. */
  private static final Evaluation EVALUATION = new Evaluation(1000, 2000, 3.0, 0.1);

  private static StepReport step(long step, int seconds) {
    return new StepReport(
        step, 4000, 3.25, 1e-3, 1, step * 4096, 12345.6, Duration.ofSeconds(seconds));
  }

  @Test
  void text_hasAllFigures() {
    ProgressLine line = new ProgressLine(0, 4000, null, null);
    assertEquals("step 0/4,000", line.text());
    assertEquals(
        "step 0/4,000 | validation 3.000 nats, 2.164 bits/byte", line.after(EVALUATION).text());
    // 1,000 of 4,000 steps took 50 s, so the others take 150.
    assertEquals(
        "step 1,000/4,000 | loss 3.250 | validation 3.000 nats, 2.164 bits/byte"
            + " | 12,346 tokens/s | 2:30 left",
        line.after(EVALUATION).after(step(1000, 50)).text());
  }

  @Test
  void text_isTheSameInEveryLanguage() {
    Locale before = Locale.getDefault();
    ProgressLine line = new ProgressLine(0, 0, null, EVALUATION).after(step(1000, 50));
    String text = line.text();
    try {
      Locale.setDefault(Locale.GERMANY);
      assertEquals(text, line.text());
    } finally {
      Locale.setDefault(before);
    }
  }

  @Test
  void bar_isAsLongAsDone() {
    ProgressLine line = new ProgressLine(0, 0, null, EVALUATION).after(step(1000, 50));
    String bar = line.bar(200);
    assertTrue(bar.startsWith(" 25% [" + "=".repeat(10) + " ".repeat(30) + "] 1,000/4,000"), bar);
    assertTrue(bar.endsWith("2:30 left"), bar);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 10, 40, 80, 100, 120, 200})
  void bar_fitsTheTerminal(int width) {
    ProgressLine line = new ProgressLine(0, 0, null, EVALUATION).after(step(3999, 3700));
    assertTrue(line.bar(width).length() <= width, line.bar(width));
  }

  @Test
  void bar_showsEverythingOnEightyColumns() {
    assertEquals(
        " 25% 1,000/4,000 loss 3.250 val 3.000 nats 2.164 bits/B 12,346 tok/s 2:30 left",
        new ProgressLine(0, 0, null, EVALUATION).after(step(1000, 50)).bar(80));
  }

  @Test
  void time_hasHoursOnlyWhereThereAreAny() {
    assertEquals("0:00", ProgressLine.time(Duration.ZERO));
    assertEquals("59:59", ProgressLine.time(Duration.ofSeconds(3599)));
    assertEquals("1:00:00", ProgressLine.time(Duration.ofSeconds(3600)));
    assertEquals("26:01:05", ProgressLine.time(Duration.ofSeconds(26 * 3600 + 65)));
  }

  @Test
  void withoutTerminal_aLineNowAndThen() {
    StringWriter written = new StringWriter();
    try (ProgressListener listener = new ProgressListener(new PrintWriter(written), false)) {
      listener.stepDone(step(1, 1));
      listener.stepDone(step(2, 2));
      listener.stepDone(step(10, 10));
      listener.stepDone(step(11, 11));
      listener.stepDone(step(12, 12));
      listener.evaluated(12, EVALUATION, true);
      listener.stepDone(step(21, 21));
      listener.stepDone(step(22, 22));
    }
    List<String> steps = written.toString().lines().map(line -> line.split(" ")[1]).toList();
    assertEquals(List.of("1/4,000", "11/4,000", "12/4,000", "22/4,000"), steps);
  }
}
