package dev.spatz.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.dataset.Dataset;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Tensors;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

/** A trainer offers its state, and another one takes it over. */
class TrainerResumeTest {
  private static final TransformerConfig SHAPE = TransformerConfig.llama(20, 8, 1, 2, 8);

  private Dataset data;

  @BeforeEach
  void prepare() throws IOException {
    int[] ids = IntStream.range(0, 400).map(i -> i * i % 17).toArray();
    data = Dataset.ofIds(ids, ids, 20);
  }

  @AfterEach
  void close() {
    data.close();
  }

  private static TrainingConfig config() {
    return TrainingConfig.defaults().withSteps(6).withBatchSize(2).withThreads(1);
  }

  private static CheckpointConfig everyStep() {
    return CheckpointConfig.of(Path.of("unused")).withEvery(null).withEverySteps(1);
  }

  /** A state in the heap. */
  private record Kept(TrainingProgress progress, double[] weights, Map<String, double[]> arrays) {
    static Kept of(Transformer transformer, TrainingState state) {
      Map<String, double[]> arrays = new HashMap<>();
      state.arrays().forEach((name, array) -> arrays.put(name, Tensors.toDoubles(array)));
      return new Kept(state.progress(), Tensors.toDoubles(transformer.parameters().flat()), arrays);
    }

    Kept after(Duration elapsed) {
      TrainingProgress longer =
          new TrainingProgress(
              progress.step(),
              progress.averaged(),
              progress.bestStep(),
              progress.bestEvaluation(),
              progress.evaluationsWithoutImprovement(),
              progress.recentLosses(),
              progress.recentFaults(),
              progress.faultySteps(),
              progress.snapshot(),
              elapsed);
      return new Kept(longer, weights, arrays);
    }

    void into(Transformer transformer, Trainer trainer) throws IOException {
      Tensors.write(transformer.parameters().flat(), 0, weights, 0, weights.length);
      trainer.restore(
          progress,
          (name, array) -> {
            double[] values = arrays.get(name);
            Tensors.write(array, 0, values, 0, values.length);
          });
    }
  }

  private Transformer fresh() {
    return Transformer.initialized(SHAPE, DataType.DOUBLE, 1);
  }

  private Trainer trainer(Transformer transformer, TrainingConfig config) {
    return Trainer.create(transformer, data, config, KernelBackend.ND4J);
  }

  private List<Kept> keptStates(TrainingConfig config) {
    List<Kept> states = new ArrayList<>();
    try (Transformer transformer = fresh();
        Trainer trainer = trainer(transformer, config)) {
      assertThrows(IllegalStateException.class, trainer::state);
      trainer.keepStates(everyStep(), state -> states.add(Kept.of(transformer, state)));
      trainer.run(TrainingListener.NONE, new Cancellation());
    }
    return states;
  }

  @Test
  void states_areKeptBeforeTheFirstStepAndAfterEach() {
    List<Kept> states = keptStates(config().withAveragedSteps(2));
    assertEquals(7, states.size());
    for (int step = 0; step <= 6; step++) {
      assertEquals(step, states.get(step).progress().step());
      assertEquals(step, states.get(step).progress().recentLosses().size());
      assertEquals(step > 4, states.get(step).arrays().containsKey("sum"));
    }
  }

  @Test
  void state_takenOver_leadsToTheStatesThatCameAfterIt() throws IOException {
    List<Kept> states = keptStates(config().withAveragedSteps(2));
    for (int step : new int[] {0, 3, 5}) {
      List<Kept> rest = new ArrayList<>();
      try (Transformer transformer = fresh();
          Trainer trainer = trainer(transformer, config().withAveragedSteps(2))) {
        states.get(step).into(transformer, trainer);
        trainer.keepStates(everyStep(), state -> rest.add(Kept.of(transformer, state)));
        trainer.run(TrainingListener.NONE, new Cancellation());
      }
      assertEquals(6 - step, rest.size());
      Kept expected = states.get(6);
      Kept last = rest.get(rest.size() - 1);
      assertArrayEquals(expected.weights(), last.weights());
      assertEquals(expected.arrays().keySet(), last.arrays().keySet());
      expected.arrays().forEach((name, array) -> assertArrayEquals(array, last.arrays().get(name)));
      assertEquals(expected.after(Duration.ZERO).progress(), last.after(Duration.ZERO).progress());
    }
  }

  @Test
  void timeLimit_countsTheTimeBeforeTheStop() throws IOException {
    Kept early = keptStates(config()).get(2);
    TrainingConfig limited = config().withTimeLimit(Duration.ofHours(1));
    for (Duration before : List.of(Duration.ZERO, Duration.ofHours(1))) {
      try (Transformer transformer = fresh();
          Trainer trainer = trainer(transformer, limited)) {
        early.after(before).into(transformer, trainer);
        TrainingResult result = trainer.run(TrainingListener.NONE, new Cancellation());
        assertEquals(before.isZero() ? StopReason.STEPS : StopReason.TIME, result.reason());
        assertTrue(result.elapsed().compareTo(before) >= 0, result.elapsed().toString());
      }
    }
  }

  @Test
  void moreSteps_dropAMeanThatHadBegun() throws IOException {
    Kept ended = keptStates(config().withAveragedSteps(2)).get(6);
    try (Transformer transformer = fresh();
        Trainer trainer = trainer(transformer, config().withSteps(20).withAveragedSteps(2))) {
      ended.into(transformer, trainer);
      assertFalse(trainer.state().arrays().containsKey("sum"));
      assertEquals(0, trainer.state().progress().averaged());
      assertEquals(20, trainer.run(TrainingListener.NONE, new Cancellation()).steps());
    }
  }

  @Test
  void stateThatCannotBeKept_endsTheRun() {
    try (Transformer transformer = fresh();
        Trainer trainer = trainer(transformer, config())) {
      trainer.keepStates(
          everyStep(),
          state -> {
            throw new IOException("no space left");
          });
      UncheckedIOException e =
          assertThrows(
              UncheckedIOException.class,
              () -> trainer.run(TrainingListener.NONE, new Cancellation()));
      assertEquals("no space left", e.getCause().getMessage());
    }
  }

  @Test
  void checkpoints_areDueByStepsOrTime() {
    CheckpointConfig config = CheckpointConfig.of(Path.of("run"));
    assertFalse(config.due(1_000_000, Duration.ofSeconds(299)));
    assertTrue(config.due(1, Duration.ofMinutes(5)));
    assertTrue(config.withEverySteps(3).due(3, Duration.ZERO));
    assertFalse(config.withEverySteps(3).due(2, Duration.ZERO));
    assertFalse(config.withEvery(null).due(1_000_000, Duration.ofDays(9)));
    assertThrows(IllegalArgumentException.class, () -> config.withKeep(0));
    assertThrows(IllegalArgumentException.class, () -> config.withEverySteps(-1));
    assertThrows(IllegalArgumentException.class, () -> config.withEvery(Duration.ZERO));
  }
}
