package dev.spatz.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.kernel.KernelBackend;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.TransformerConfig;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

class WorkerTeamTest {
  private final Transformer transformer =
      Transformer.zeros(TransformerConfig.gpt2(5, 4, 1, 1, 4), DataType.FLOAT);
  private final WorkerTeam team = new WorkerTeam(3, transformer, KernelBackend.ND4J);

  @AfterEach
  void close() {
    team.close();
    transformer.close();
  }

  @Test
  void forEach_runsEveryTaskOnce() {
    AtomicIntegerArray runs = new AtomicIntegerArray(100);
    team.forEach(100, (worker, index) -> runs.incrementAndGet(index));
    for (int i = 0; i < runs.length(); i++) {
      assertEquals(1, runs.get(i));
    }
  }

  @Test
  void forEach_throwsWhatATaskThrows() {
    IllegalStateException failure = new IllegalStateException("of a task");
    assertSame(
        failure,
        assertThrows(
            IllegalStateException.class,
            () ->
                team.forEach(
                    10,
                    (worker, index) -> {
                      if (index == 4) {
                        throw failure;
                      }
                    })));
    AtomicIntegerArray runs = new AtomicIntegerArray(3);
    team.forEach(3, (worker, index) -> runs.incrementAndGet(index));
    assertEquals(3, runs.get(0) + runs.get(1) + runs.get(2));
  }

  @Test
  void forEach_waitsForItsTasksWhenInterrupted() {
    AtomicIntegerArray runs = new AtomicIntegerArray(50);
    Thread.currentThread().interrupt();
    team.forEach(50, (worker, index) -> runs.incrementAndGet(index));
    assertTrue(Thread.interrupted());
    for (int i = 0; i < runs.length(); i++) {
      assertEquals(1, runs.get(i));
    }
  }
}
