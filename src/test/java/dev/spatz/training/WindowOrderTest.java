package dev.spatz.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.kernel.CounterRandom;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WindowOrderTest {
  private static List<Long> epoch(WindowOrder order, long epoch) {
    List<Long> starts = new ArrayList<>();
    for (long i = 0; i < order.windowsPerEpoch(); i++) {
      starts.add(order.start(epoch * order.windowsPerEpoch() + i));
    }
    return starts;
  }

  @ParameterizedTest
  @CsvSource({"1,1", "1,8", "7,8", "8,8", "9,8", "64,8", "1000,7", "100000,64", "65,1"})
  void epoch_seesEveryTokenAtMostOnce(long starts, int length) {
    WindowOrder order = new WindowOrder(CounterRandom.of(5), starts, length);
    BitSet seen = new BitSet();
    for (long start : epoch(order, 3)) {
      assertTrue(start >= 0 && start < starts, start + " of " + starts);
      for (long token = start; token < start + length; token++) {
        assertFalse(seen.get((int) token), "token " + token + " twice");
        seen.set((int) token);
      }
    }
    assertEquals(order.windowsPerEpoch() * length, seen.cardinality());
    assertTrue(starts < length || starts - seen.cardinality() < length);
  }

  @Test
  void epochs_differInOrderAndBorders() {
    WindowOrder order = new WindowOrder(CounterRandom.of(5), 10_000, 64);
    List<Long> first = epoch(order, 0);
    List<Long> second = epoch(order, 1);
    assertNotEquals(first, second);
    assertNotEquals(first.get(0) % 64, second.get(0) % 64);
    assertNotEquals(first.stream().sorted().toList(), first);
  }

  @Test
  void order_dependsOnTheSeed() {
    assertNotEquals(
        epoch(new WindowOrder(CounterRandom.of(1), 1000, 8), 0),
        epoch(new WindowOrder(CounterRandom.of(2), 1000, 8), 0));
  }

  /** Neighbours in the order are no neighbours in the text: their mean distance is a third. */
  @Test
  void order_isSpreadOverTheText() {
    WindowOrder order = new WindowOrder(CounterRandom.of(9), 64_000, 64);
    List<Long> starts = epoch(order, 0);
    double distance = 0;
    for (int i = 1; i < starts.size(); i++) {
      distance += Math.abs(starts.get(i) - starts.get(i - 1));
    }
    assertEquals(1.0 / 3, distance / (starts.size() - 1) / 64_000, 0.03);
  }
}
