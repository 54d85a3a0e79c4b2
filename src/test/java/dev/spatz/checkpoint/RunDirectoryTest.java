package dev.spatz.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Precision;
import dev.spatz.kernel.Tensors;
import dev.spatz.optimizer.AdamWConfig;
import dev.spatz.optimizer.LearningRateSchedule.Cosine;
import dev.spatz.optimizer.LearningRateSchedule.WarmupStableDecay;
import dev.spatz.optimizer.MuonConfig;
import dev.spatz.training.CheckpointConfig;
import dev.spatz.training.Evaluation;
import dev.spatz.training.PreferenceConfig;
import dev.spatz.training.PreferenceEvaluation;
import dev.spatz.training.StepGuard;
import dev.spatz.training.TrainingPlan;
import dev.spatz.training.TrainingProgress;
import dev.spatz.training.TrainingState;
import dev.spatz.transformer.Transformer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Checkpoints are written whole or not at all, whatever the disk does. */
class RunDirectoryTest {
  private static final TextConventions CONVENTIONS =
      new TextConventions(
          Map.of("default", "{{ messages }}", "tool_use", "{{ tools }}"),
          "<s>",
          "</s>",
          List.of(1),
          null);

  /** Changes of a disk that one checkpoint makes, at least: fewer would be no test. */
  private static final int LEAST_CHANGES = 40;

  @TempDir Path parent;
  private Path path;
  private Transformer transformer;
  private INDArray moments;

  @BeforeEach
  void create() {
    path = parent.resolve("run");
    transformer = Examples.random(Examples.llama(), DataType.FLOAT);
    moments = Tensors.zeros(DataType.FLOAT, 70_000);
    Tensors.put(moments, 69_999, 0x1.abcdep-140);
  }

  @AfterEach
  void close() {
    transformer.close();
    moments.close();
  }

  private static TrainingPlan plan() {
    return new TrainingPlan(
        Examples.llama(),
        6,
        2,
        3,
        100,
        new WarmupStableDecay(3e-3, 1e-4 / 3, 10, 50, 100),
        MuonConfig.defaults(),
        1,
        new StepGuard(StepGuard.Action.ROLL_BACK, 30, 7.5, 3),
        6,
        10,
        1000,
        4,
        Duration.ofSeconds(90),
        5,
        -42,
        KernelBackend.ND4J,
        Precision.FLOAT32,
        null);
  }

  private RunSettings settings(TrainingPlan plan) {
    CheckpointConfig checkpoints = CheckpointConfig.of(path).withKeep(1).withEverySteps(7);
    return RunSettings.of(plan, "0".repeat(64), Map.of("base seed", "3"), checkpoints, 2);
  }

  private Checkpoint checkpoint(RunSettings settings, long step) {
    PreferenceEvaluation preferences =
        settings.plan().preference() == null
            ? null
            : new PreferenceEvaluation(7, 6, 5, 1 / 7.0, -2, Double.NEGATIVE_INFINITY, -1e-300);
    TrainingProgress progress =
        new TrainingProgress(
            step,
            3,
            2,
            new Evaluation(9, 12, 1 / 3.0, Double.POSITIVE_INFINITY, preferences),
            1,
            List.of(2.5, 1e-300, 7 / 3.0),
            List.of(3L, 5L),
            7,
            true,
            Duration.ofNanos(1_234_567_890_123L));
    return Checkpoint.ofModel(
        transformer,
        Examples.CHARACTERS,
        Examples.PROVENANCE,
        CONVENTIONS,
        settings,
        new TrainingState(progress, Map.of("optimizer.moments", moments)));
  }

  @Test
  void checkpoint_isReadAsItWasWritten() throws IOException {
    TrainingPlan cosine =
        new TrainingPlan(
            Examples.llama(),
            1,
            1,
            1,
            9,
            new Cosine(1, 0, 0, 9),
            AdamWConfig.defaults(),
            0,
            StepGuard.defaults(),
            0,
            1,
            1,
            0,
            null,
            0,
            Long.MAX_VALUE,
            KernelBackend.ND4J,
            Precision.FLOAT32,
            new PreferenceConfig(0.3, 0.05, true));
    long step = 0;
    for (TrainingPlan plan : List.of(plan(), cosine)) {
      Checkpoint written = checkpoint(settings(plan), ++step);
      try (RunDirectory run = step == 1 ? RunDirectory.create(path) : RunDirectory.open(path)) {
        run.keep(written);
        SavedCheckpoint read = run.newest();
        assertEquals(written.settings(), read.settings());
        assertEquals(written.state().progress(), read.progress());
        try (LoadedModel loaded = read.load();
            INDArray array = Tensors.zeros(DataType.FLOAT, moments.length())) {
          assertEquals(CONVENTIONS, loaded.conventions());
          assertArrayEquals(Examples.weights(transformer), Examples.weights(loaded.transformer()));
          OptimizerFile.read(read.path(), source -> source.read("optimizer.moments", array));
          assertArrayEquals(Tensors.toFloats(moments), Tensors.toFloats(array));
          assertThrows(
              InvalidFileException.class,
              () -> OptimizerFile.read(read.path(), source -> source.read("best", array)));
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void disk_thatFailsAtAnyChange_leavesACheckpoint(boolean forGood) throws IOException {
    RunSettings settings = settings(plan());
    FailingDisk disk = new FailingDisk();
    try (RunDirectory run = RunDirectory.create(path)) {
      run.keep(checkpoint(settings, 0));
    }
    int change = 0;
    long newest = 0;
    boolean failed;
    do {
      change++;
      IOException fault = null;
      try (RunDirectory run = RunDirectory.open(disk.path(path))) {
        disk.fail(change, forGood);
        run.keep(checkpoint(settings, change));
      } catch (IOException e) {
        fault = e;
      }
      failed = disk.failed();
      disk.fail(Integer.MAX_VALUE, false);
      if (fault != null) {
        assertTrue(failed, fault.toString());
        assertTrue(fault.getMessage().contains(FailingDisk.FAULT), fault.getMessage());
        assertTrue(fault.getMessage().contains("those before it are as they were"));
      }
      try (RunDirectory run = RunDirectory.open(path)) {
        SavedCheckpoint left = run.newest();
        assertTrue(left.progress().step() == newest || left.progress().step() == change);
        assertTrue(fault != null || left.progress().step() == change, "kept without a fault");
        newest = left.progress().step();
        left.load().close();
      }
      assertFalse(entries().stream().anyMatch(name -> name.startsWith("damaged-")));
    } while (failed);
    assertTrue(change > LEAST_CHANGES, change + " changes");
    assertEquals(List.of("checkpoint-" + String.format("%06d", change), "run.lock"), entries());
  }

  @Test
  void checkpoint_thatReplacesItself_isNeverLost() throws IOException {
    FailingDisk disk = new FailingDisk();
    try (RunDirectory run = RunDirectory.create(path)) {
      run.keep(checkpoint(settings(plan()), 5));
    }
    int change = 0;
    boolean failed;
    do {
      change++;
      try (RunDirectory run = RunDirectory.open(disk.path(path))) {
        disk.fail(change, true);
        run.keep(checkpoint(settings(plan().withSteps(100 + change)), 5));
      } catch (IOException e) {
        assertTrue(e.getMessage().contains(FailingDisk.FAULT), e.getMessage());
      }
      failed = disk.failed();
      disk.fail(Integer.MAX_VALUE, false);
      assertTrue(RunDirectory.canBeResumed(path));
      try (RunDirectory run = RunDirectory.open(path)) {
        assertEquals(5, run.newest().progress().step());
      }
    } while (failed);
    assertTrue(change > LEAST_CHANGES, change + " changes");
  }

  @Test
  void oldCheckpoints_areRemoved_damagedOnesDoNotCount() throws IOException {
    RunSettings settings = settings(plan());
    try (RunDirectory run = RunDirectory.create(path)) {
      run.keep(checkpoint(settings, 1));
      run.keep(checkpoint(settings, 2));
      assertEquals(List.of("checkpoint-000002", "run.lock"), entries());
      Files.copy(
          path.resolve("checkpoint-000002/config.json"),
          Files.createDirectory(path.resolve("checkpoint-000009")).resolve("config.json"));
      assertEquals(2, run.newest().progress().step());
      run.keep(checkpoint(settings, 3));
    }
    assertEquals(List.of("checkpoint-000003", "damaged-checkpoint-000009", "run.lock"), entries());
  }

  @Test
  void leftOvers_areCleaned_butNotThoseOfOthers() throws IOException {
    try (RunDirectory run = RunDirectory.create(path)) {
      run.keep(checkpoint(settings(plan()), 1));
    }
    Files.createDirectory(path.resolve(".checkpoint-000002.spatz-tmp-x"));
    Files.createDirectory(path.resolve(".checkpoint-000000.spatz-trash-x"));
    Files.createDirectory(path.resolve("compared"));
    Files.createDirectory(path.resolve("mine"));
    RunDirectory.open(path).close();
    assertEquals(List.of("checkpoint-000001", "mine", "run.lock"), entries());
  }

  @Test
  void lock_closedTwice_doesNotUnlockAnother() throws IOException {
    RunDirectory first = RunDirectory.create(path);
    first.close();
    try (RunDirectory second = RunDirectory.create(path)) {
      first.close();
      IOException e = assertThrows(IOException.class, () -> RunDirectory.create(second.path()));
      assertTrue(e.getMessage().contains("is training in this directory"), e.getMessage());
    }
  }

  @Test
  void stateOfAnotherVersion_isNamed() throws IOException {
    try (RunDirectory run = RunDirectory.create(path)) {
      run.keep(checkpoint(settings(plan()), 1));
      Path state = path.resolve("checkpoint-000001/trainer_state.json");
      Path sums = path.resolve("checkpoint-000001/SHA256SUMS");
      String before = Sha256Sums.of(state);
      Examples.edit(state, "\"format\": 1", "\"format\": 2");
      Examples.edit(sums, before, Sha256Sums.of(state));
      InvalidFileException e = assertThrows(InvalidFileException.class, run::newest);
      assertTrue(e.getMessage().contains("another version of this library"), e.getMessage());
    }
  }

  private List<String> entries() throws IOException {
    try (Stream<Path> entries = Files.list(path)) {
      return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
    }
  }
}
