package dev.spatz.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;

import org.junit.jupiter.api.Test;

/**
 * Which numbers decide; that they are random, and what kernels make of them, is tested elsewhere.
 */
class DropoutTest {
  private static final int PLACE = 7;

  private final CounterRandom step = CounterRandom.of(3);
  private final Dropout dropout = Dropout.of(0.4);

  private static void assertDecides(CounterRandom random, Dropout dropout) {
    for (long index = -100; index < 100; index++) {
      boolean drops = random.uniform(index) < 0.4;
      assertEquals(drops, dropout.drops(index));
      assertEquals(drops ? 0 : 1 / 0.6, dropout.factor(index), 1e-15);
    }
  }

  @Test
  void drops_byTheNumbersOfItsStepAndPlace() {
    assertDecides(step.child(PLACE), dropout.moveTo(step, PLACE, 5));
    assertEquals(5, dropout.firstSequence());
    assertDecides(step.child(1).child(PLACE), dropout.moveTo(step.child(1), PLACE, 6));
    assertEquals(6, dropout.firstSequence());
  }

  @Test
  void drops_inOneOfSeveralSequences_byNumbersOfItsOwn() {
    Dropout ofSequence = Dropout.of(0.4).moveTo(dropout.moveTo(step, PLACE, 5), 2);
    assertDecides(step.child(PLACE).child(2), ofSequence);
    assertEquals(5, ofSequence.firstSequence());
  }

  @Test
  void rateOfZero_isNone() {
    assertSame(Dropout.NONE, Dropout.of(0));
    assertSame(Dropout.NONE, Dropout.NONE.moveTo(step, PLACE, 5));
    assertEquals(0, Dropout.NONE.firstSequence());
    assertFalse(Dropout.NONE.active());
    assertFalse(Dropout.NONE.drops(1));
  }
}
