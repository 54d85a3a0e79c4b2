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
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;

/** Runs on data of a simple pattern, a few of whose batches are noise. */
class StepGuardTest {
  private static final TransformerConfig SHAPE = TransformerConfig.llama(20, 8, 1, 2, 8);
  private static final int STEPS = 160;

  private Dataset data;

  @BeforeEach
  void prepare() throws IOException {
    Random random = new Random(1);
    int[] ids =
        IntStream.range(0, 4000).map(i -> i < 120 ? 5 + random.nextInt(15) : i % 5).toArray();
    data = Dataset.ofIds(ids, IntStream.range(0, 100).map(i -> i % 5).toArray(), 20);
  }

  @AfterEach
  void close() {
    data.close();
  }

  private static TrainingConfig config(StepGuard guard) {
    return TrainingConfig.defaults()
        .withSteps(STEPS)
        .withBatchSize(2)
        .withLearningRate(2e-2)
        .withWarmupSteps(0)
        .withAveragedSteps(3)
        .withThreads(1)
        .withGuard(guard);
  }

  private static StepGuard guard(StepGuard.Action action) {
    return StepGuard.defaults().withAction(action).withWindow(20);
  }

  /** What a listener heard, and may do. */
  private static class Heard implements TrainingListener {
    final List<FaultyStep> faults = new ArrayList<>();
    final List<Long> done = new ArrayList<>();

    @Override
    public void stepDone(StepReport report) {
      done.add(report.step());
    }

    @Override
    public void stepFaulty(FaultyStep fault) {
      faults.add(fault);
    }
  }

  private record Kept(TrainingProgress progress, double[] weights, Map<String, double[]> arrays) {}

  private static Kept kept(Transformer transformer, TrainingState state) {
    Map<String, double[]> arrays = new HashMap<>();
    state.arrays().forEach((name, array) -> arrays.put(name, Tensors.toDoubles(array)));
    return new Kept(state.progress(), Tensors.toDoubles(transformer.parameters().flat()), arrays);
  }

  /** Runs to the end, from a state or from the start; the states of all steps. */
  private List<Kept> states(StepGuard guard, Kept from, Heard heard) throws IOException {
    List<Kept> states = new ArrayList<>();
    try (Transformer transformer = Transformer.initialized(SHAPE, DataType.DOUBLE, 1);
        Trainer trainer = Trainer.create(transformer, data, config(guard), KernelBackend.ND4J)) {
      if (from != null) {
        Tensors.write(transformer.parameters().flat(), 0, from.weights, 0, from.weights.length);
        trainer.restore(
            from.progress,
            (name, array) -> {
              double[] values = from.arrays.get(name);
              Tensors.write(array, 0, values, 0, values.length);
            });
      }
      trainer.keepStates(
          CheckpointConfig.of(Path.of("unused")).withEvery(null).withEverySteps(1),
          state -> states.add(kept(transformer, state)));
      TrainingResult result = trainer.run(heard, new Cancellation());
      assertEquals(states.get(states.size() - 1).progress.faultySteps(), result.faultySteps());
      return states;
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = StepGuard.Action.class,
      names = {"SKIP", "ROLL_BACK"})
  void noise_isPassedOver_andResumingIsExact(StepGuard.Action action) throws IOException {
    Heard heard = new Heard();
    List<Kept> states = states(guard(action), null, heard);
    assertFalse(heard.faults.isEmpty());
    for (FaultyStep fault : heard.faults) {
      assertTrue(fault.isSpike());
      assertEquals(action, fault.action());
      assertTrue(fault.loss() > fault.typicalLoss() + 1, fault.describe());
      assertFalse(heard.done.contains(fault.step()));
    }
    assertEquals(STEPS, heard.done.size() + heard.faults.size());
    for (FaultyStep fault : heard.faults) {
      for (long step : new long[] {fault.step() - 1, fault.step() + 1}) {
        Heard rest = new Heard();
        List<Kept> after = states(guard(action), states.get((int) step), rest);
        Kept expected = states.get(STEPS);
        Kept last = after.get(after.size() - 1);
        assertArrayEquals(expected.weights, last.weights);
        assertEquals(expected.progress.recentFaults(), last.progress.recentFaults());
        assertEquals(
            heard.faults.stream().filter(other -> other.step() > step).toList(), rest.faults);
      }
    }
  }

  @Test
  void skippedStep_leavesTheWeights_andRolledBackOneTheSnapshot() throws IOException {
    Heard heard = new Heard();
    List<Kept> skipping = states(guard(StepGuard.Action.SKIP), null, heard);
    int first = (int) heard.faults.get(0).step();
    assertArrayEquals(skipping.get(first - 1).weights, skipping.get(first).weights);
    List<Kept> rolling = states(guard(StepGuard.Action.ROLL_BACK), null, new Heard());
    assertArrayEquals(skipping.get(first - 1).weights, rolling.get(first - 1).weights);
    int snapshot = (first - 1) / 20 * 20;
    assertArrayEquals(rolling.get(snapshot).weights, rolling.get(first).weights);
  }

  @Test
  void guard_changesNothing_whereNoStepIsFaulty() throws IOException {
    data.close();
    int[] ids = IntStream.range(0, 400).map(i -> i * i % 17).toArray();
    data = Dataset.ofIds(ids, ids, 20);
    Heard heard = new Heard();
    Kept off = last(states(StepGuard.defaults().withThreshold(0), null, heard));
    Kept skipping = last(states(StepGuard.defaults(), null, heard));
    Kept rolling = last(states(guard(StepGuard.Action.ROLL_BACK), null, heard));
    assertArrayEquals(off.weights, skipping.weights);
    assertArrayEquals(off.weights, rolling.weights);
    assertEquals(List.of(), heard.faults);
  }

  private static Kept last(List<Kept> states) {
    return states.get(states.size() - 1);
  }

  @Test
  void stopping_endsTheRunAtTheFirstSpike() {
    Heard heard = new Heard();
    TrainingDivergedException e =
        assertThrows(
            TrainingDivergedException.class,
            () -> states(guard(StepGuard.Action.STOP), null, heard));
    assertEquals(1, heard.faults.size());
    assertEquals(heard.faults.get(0).step(), e.step());
    assertTrue(e.getMessage().contains(" is usual; lower the learningRate"), e.getMessage());
  }

  /** After step 30, one weight is not a number. */
  private TrainingResult poisoned(StepGuard guard, Heard heard) {
    try (Transformer transformer = Transformer.initialized(SHAPE, DataType.FLOAT, 1);
        Trainer trainer = Trainer.create(transformer, data, config(guard), KernelBackend.ND4J)) {
      TrainingListener poison =
          new TrainingListener() {
            @Override
            public void stepDone(StepReport report) {
              if (report.step() == 30) {
                Tensors.put(transformer.parameters().get("norm.gain"), 0, Double.NaN);
              }
            }
          };
      TrainingResult result = trainer.run(heard.and(poison), new Cancellation());
      for (double weight : Tensors.toDoubles(transformer.parameters().flat())) {
        assertTrue(Double.isFinite(weight));
      }
      return result;
    }
  }

  @Test
  void weightsNotFinite_areNamed_andRolledBack() {
    Heard heard = new Heard();
    TrainingResult result = poisoned(guard(StepGuard.Action.ROLL_BACK).withThreshold(0), heard);
    assertEquals(1, heard.faults.size(), heard.faults.toString());
    FaultyStep fault = heard.faults.get(0);
    assertEquals(31, fault.step());
    assertEquals("weights norm.gain", fault.quantity());
    assertFalse(fault.isSpike());
    assertTrue(result.trainingLoss() < 2, result.toString());
    assertEquals(1, result.faultySteps());
  }

  @Test
  void weightsNotFinite_endARunThatOnlySkips() {
    Heard heard = new Heard();
    TrainingDivergedException e =
        assertThrows(
            TrainingDivergedException.class,
            () -> poisoned(guard(StepGuard.Action.SKIP).withThreshold(0).withMost(3), heard));
    assertEquals(34, e.step());
    assertEquals(4, heard.faults.size());
    assertTrue(
        e.getMessage().contains("is not finite; at fault: weights norm.gain; lower"),
        e.getMessage());
  }

  @Test
  void watch_takesOnlyWhatIsAboveAllForASpike() {
    StepWatch watch = new StepWatch(guard(StepGuard.Action.SKIP).withMost(2), Map.of());
    for (int i = 0; i < 19; i++) {
      watch.done(i + 1, 2 + i % 3 * 0.1);
    }
    assertFalse(watch.isSpike(20, 9), "too few losses");
    watch.done(20, 2);
    assertFalse(watch.isSpike(21, 3.0), "within a nat");
    assertTrue(watch.isSpike(21, 3.7));
    assertFalse(watch.isSpike(21, Double.NaN));
    TrainingStep.Outcome spike = new TrainingStep.Outcome(3.7, 1);
    assertFalse(watch.isTrusted(21, spike));
    assertEquals(2.1, watch.bear(21, spike, "loss").typicalLoss(), 0.11);
    watch.bear(22, spike, "loss");
    assertFalse(watch.isSpike(23, 9), "no exception any more");
    assertTrue(watch.isSpike(42, 9), "but after a while again");
    watch.done(42, 9);
    assertFalse(watch.isSpike(43, 9), "known by now");
    assertEquals(2, watch.count());
  }

  @Test
  void settings_outOfRange_areRefused() {
    StepGuard guard = StepGuard.defaults();
    assertThrows(IllegalArgumentException.class, () -> guard.withWindow(19));
    assertThrows(IllegalArgumentException.class, () -> guard.withThreshold(-1));
    assertThrows(IllegalArgumentException.class, () -> guard.withThreshold(Double.NaN));
    assertThrows(IllegalArgumentException.class, () -> guard.withMost(-1));
  }
}
