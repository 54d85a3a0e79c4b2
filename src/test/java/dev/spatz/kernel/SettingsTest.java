package dev.spatz.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsTest {
  private static String refusal(Runnable call) {
    return assertThrows(IllegalArgumentException.class, call::run).getMessage();
  }

  @Test
  void attentionShape_knowsItsWidths() {
    AttentionShape shape = new AttentionShape(7, 6, 2, 16);
    assertEquals(3, shape.group());
    assertEquals(160, shape.rowWidth());
    assertEquals(0.25, shape.scale());
  }

  @ParameterizedTest
  @CsvSource({"0,1,1,1", "1,0,1,1", "1,1,0,1", "1,1,1,0"})
  void attentionShape_refusesSizesThatAreNotPositive(int time, int heads, int groups, int size) {
    assertEquals(
        "time (%d), heads (%d), keyValueHeads (%d) and headSize (%d) must be positive"
            .formatted(time, heads, groups, size),
        refusal(() -> new AttentionShape(time, heads, groups, size)));
  }

  @Test
  void attentionShape_refusesHeadsThatGroupsDoNotDivide() {
    assertEquals(
        "keyValueHeads (2) must divide heads (5)", refusal(() -> new AttentionShape(1, 5, 2, 1)));
  }

  @ParameterizedTest
  @ValueSource(doubles = {-0.1, 1, 2, Double.NaN})
  void dropout_refusesRatesThatAreNoProbability(double rate) {
    assertEquals(
        "dropout (" + rate + ") must be at least 0 and below 1", refusal(() -> Dropout.of(rate)));
  }
}
