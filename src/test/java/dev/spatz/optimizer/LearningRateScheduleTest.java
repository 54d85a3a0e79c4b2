package dev.spatz.optimizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.optimizer.LearningRateSchedule.Cosine;
import dev.spatz.optimizer.LearningRateSchedule.WarmupStableDecay;
import org.junit.jupiter.api.Test;

class LearningRateScheduleTest {
  private final LearningRateSchedule cosine =
      new LearningRateSchedule.Cosine(1e-3, 1e-4, 100, 2000);
  private final LearningRateSchedule stable =
      new LearningRateSchedule.WarmupStableDecay(1e-3, 0, 10, 20, 100);

  @Test
  void cosine_warmsUpLinearly() {
    assertEquals(1e-3 / 101, cosine.at(0), 1e-15);
    assertEquals(1e-3 * 50 / 101, cosine.at(49), 1e-15);
    assertEquals(1e-3, cosine.at(100), 1e-15);
  }

  @Test
  void cosine_fallsToTheFloor() {
    assertEquals((1e-3 + 1e-4) / 2, cosine.at(1050), 1e-15);
    assertEquals(1e-4, cosine.at(2000), 1e-15);
    assertEquals(1e-4, cosine.at(5000), 1e-15);
    for (long step = 100; step < 2000; step++) {
      assertTrue(cosine.at(step + 1) < cosine.at(step), "step " + step);
    }
  }

  /** get_lr of nanoGPT's train.py for iteration 700 of these settings, computed by Python. */
  @Test
  void cosine_isNanoGpts() {
    assertEquals(7.961266711550922e-4, cosine.at(700), 1e-15);
  }

  @Test
  void warmupStableDecay_hasThreePhases() {
    assertEquals(1e-3 / 11, stable.at(0), 1e-15);
    assertEquals(1e-3, stable.at(10), 0);
    assertEquals(1e-3, stable.at(80), 0);
    assertEquals(5e-4, stable.at(90), 1e-15);
    assertEquals(0, stable.at(100), 0);
    assertEquals(0, stable.at(101), 0);
  }

  @Test
  void schedule_refusesWarmupBeyondItsSteps() {
    assertThrows(
        IllegalArgumentException.class, () -> new LearningRateSchedule.Cosine(1e-3, 0, 11, 10));
  }

  @Test
  void schedule_refusesFloorAbovePeak() {
    assertThrows(
        IllegalArgumentException.class, () -> new LearningRateSchedule.Cosine(1e-3, 1e-2, 1, 10));
  }

  @Test
  void warmupStableDecay_refusesPhasesThatDoNotFit() {
    assertThrows(
        IllegalArgumentException.class,
        () -> new LearningRateSchedule.WarmupStableDecay(1e-3, 0, 60, 60, 100));
  }

  @Test
  void schedule_stretched_keepsItsPeakItsWarmUpAndThePartOfItsDecay() {
    assertEquals(new Cosine(1, 0.1, 5, 40), new Cosine(1, 0.1, 5, 20).withSteps(40));
    WarmupStableDecay decaying = new WarmupStableDecay(1, 0.1, 5, 10, 20);
    assertEquals(new WarmupStableDecay(1, 0.1, 5, 20, 40), decaying.withSteps(40));
    assertEquals(new WarmupStableDecay(1, 0.1, 5, 2, 7), decaying.withSteps(7));
    assertThrows(IllegalArgumentException.class, () -> decaying.withSteps(4));
  }
}
