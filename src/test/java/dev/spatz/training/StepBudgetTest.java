package dev.spatz.training;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class StepBudgetTest {
  @Test
  void steps_getWhatTheEvaluationsLeave() {
    assertEquals(80, StepBudget.steps(100, 20, 1));
  }

  @Test
  void steps_getHalfWhereEvaluationsTakeAll() {
    assertEquals(5, StepBudget.steps(100, 1000, 10));
  }

  @Test
  void steps_areAtLeastOne() {
    assertEquals(1, StepBudget.steps(1, 0, 10));
  }
}
