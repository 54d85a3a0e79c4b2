package dev.spatz;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.spatz.checkpoint.RunDirectory;
import dev.spatz.dataset.Corpus;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Precision;
import dev.spatz.kernel.Tensors;
import dev.spatz.optimizer.AdamWConfig;
import dev.spatz.training.Cancellation;
import dev.spatz.training.CheckpointConfig;
import dev.spatz.training.Evaluation;
import dev.spatz.training.ResumeConfig;
import dev.spatz.training.StepReport;
import dev.spatz.training.StopReason;
import dev.spatz.training.TokenizerKind;
import dev.spatz.training.TrainingConfig;
import dev.spatz.training.TrainingListener;
import dev.spatz.training.TrainingPlan;
import dev.spatz.training.TrainingResult;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A run that is stopped and resumed ends as one that never stopped. */
class ResumeTest {
  private static final String TEXT = "der spatz in der hand ist besser als die taube. ".repeat(30);
  private static final Corpus CORPUS = Corpus.of(List.of(TEXT));
  private static final int STEPS = 12;
  private static @Nullable Heard whole;

  @TempDir Path directory;
  private Path run;

  @BeforeEach
  void nameRun() {
    run = directory.resolve("run");
  }

  /** Dropout, accumulation, an uneven cut, evaluations, and a mean of the last three steps. */
  private static TrainingConfig config() {
    return TrainingConfig.defaults()
        .withTokenizer(TokenizerKind.CHARACTER)
        .withModel(TransformerConfig.llama(1, 16, 2, 2, 16).withDropout(0.1))
        .withBatchSize(3)
        .withAccumulation(2)
        .withShards(2)
        .withSteps(STEPS)
        .withAveragedSteps(3)
        .withEvaluationInterval(4)
        .withLearningRate(1e-2)
        .withThreads(1);
  }

  /** Checkpoints before the first step and at the end only. */
  private TrainingConfig kept(TrainingConfig config) {
    return config.withCheckpoints(CheckpointConfig.of(run).withEvery(null));
  }

  private TrainingConfig keptEveryFive(TrainingConfig config) {
    return config.withCheckpoints(
        CheckpointConfig.of(run).withEvery(null).withEverySteps(5).withKeep(2));
  }

  /** What a run says, and how it ends. */
  private static final class Heard implements TrainingListener {
    final List<TrainingPlan> plans = new ArrayList<>();
    final List<Long> resumed = new ArrayList<>();
    final TreeMap<Long, Double> losses = new TreeMap<>();
    final TreeMap<Long, Evaluation> evaluations = new TreeMap<>();
    final List<TrainingResult> results = new ArrayList<>();
    final Cancellation cancellation = new Cancellation();
    double[] weights = {};
    private final Runnable stop;
    private final long stopAfter;

    /** One that hears everything, and stops the run after a step; −1: never. */
    Heard(long stopAfter) {
      this.stopAfter = stopAfter;
      this.stop = cancellation::cancel;
    }

    Heard(long stopAfter, Runnable stop) {
      this.stopAfter = stopAfter;
      this.stop = stop;
    }

    @Override
    public void started(TrainingPlan plan) {
      plans.add(plan);
      if (stopAfter == 0) {
        stop.run();
      }
    }

    @Override
    public void resumed(long step) {
      resumed.add(step);
    }

    @Override
    public void stepDone(StepReport report) {
      losses.put(report.step(), report.loss());
      if (report.step() == stopAfter) {
        stop.run();
      }
    }

    @Override
    public void evaluated(long step, Evaluation evaluation, boolean best) {
      evaluations.put(step, evaluation);
    }

    @Override
    public void finished(TrainingResult result) {
      results.add(result);
    }

    TrainingResult result() {
      return results.get(results.size() - 1);
    }

    void keep(LanguageModel model) {
      weights = Tensors.toDoubles(model.transformer.parameters().flat());
    }
  }

  /** The undisturbed run, made once. */
  private static Heard whole() throws IOException {
    if (whole == null) {
      whole = train(config(), new Heard(-1));
    }
    return whole;
  }

  private static Heard train(TrainingConfig config, Heard heard) throws IOException {
    try (LanguageModel model = LanguageModel.train(CORPUS, config, heard, heard.cancellation)) {
      heard.keep(model);
    }
    return heard;
  }

  private Heard resume(ResumeConfig config, Heard heard) throws IOException {
    try (LanguageModel model = LanguageModel.resume(run, config, heard, heard.cancellation)) {
      heard.keep(model);
    }
    return heard;
  }

  private Heard resume() throws IOException {
    return resume(ResumeConfig.defaults(), new Heard(-1));
  }

  /** The rest of a run is what the whole one had there. */
  private static void assertGoesOn(Heard whole, Heard rest) {
    assertArrayEquals(whole.weights, rest.weights);
    long from = rest.resumed.get(0);
    assertEquals(whole.losses.tailMap(from, false), rest.losses);
    assertEquals(whole.evaluations.tailMap(from, false), rest.evaluations.tailMap(from, false));
    assertEquals(whole.result().trainingLoss(), rest.result().trainingLoss());
    assertEquals(whole.result().bestStep(), rest.result().bestStep());
    assertEquals(whole.result().evaluation(), rest.result().evaluation());
    assertEquals(whole.result().steps(), rest.result().steps());
    assertEquals(whole.result().reason(), rest.result().reason());
    assertEquals(whole.plans, rest.plans);
  }

  // ---- exactly ----

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 4, 10, 12})
  void run_stoppedAfterAnyStep_endsWithTheSameBytes(long step) throws IOException {
    Heard whole = whole();
    Heard begun = train(kept(config()), new Heard(step));
    assertEquals(step < STEPS ? StopReason.CANCELLED : StopReason.STEPS, begun.result().reason());
    Heard rest = resume();
    assertEquals(List.of(step), rest.resumed);
    assertGoesOn(whole, rest);
  }

  @Test
  void run_keptAsItGoes_isTheSameRun() throws IOException {
    Heard whole = whole();
    Heard same = train(keptEveryFive(config()), new Heard(-1));
    assertArrayEquals(whole.weights, same.weights);
    assertEquals(whole.losses, same.losses);
    assertEquals(
        List.of(
            "checkpoint-000010",
            "checkpoint-000012",
            "dataset.tokens",
            "metrics.jsonl",
            "report.html",
            "run.lock"),
        entries(run));
  }

  @Test
  void run_ofAdamW_stoppedTwice_onOtherNumbersOfThreads() throws IOException {
    TrainingConfig config = config().withOptimizer(AdamWConfig.defaults());
    Heard whole = train(config, new Heard(-1));
    train(kept(config), new Heard(2));
    resume(ResumeConfig.defaults().withThreads(3), new Heard(7));
    assertGoesOn(whole, resume(ResumeConfig.defaults().withThreads(2), new Heard(-1)));
  }

  @Test
  void run_inBfloat16_endsWithTheSameBytes() throws IOException {
    try {
      Precision.BF16.resolve(KernelBackend.choose(), 16);
    } catch (IllegalStateException e) {
      assumeTrue(false, e.getMessage());
    }
    TrainingConfig config = config().withPrecision(Precision.BF16);
    Heard whole = train(config, new Heard(-1));
    train(kept(config), new Heard(6));
    assertGoesOn(whole, resume());
  }

  @Test
  void run_stoppedByAnInterrupt_endsWithTheSameBytes() throws IOException {
    Heard whole = whole();
    Heard begun = train(kept(config()), new Heard(7, () -> Thread.currentThread().interrupt()));
    assertTrue(Thread.interrupted());
    assertEquals(StopReason.CANCELLED, begun.result().reason());
    Heard rest = resume();
    assertEquals(List.of(7L), rest.resumed);
    assertGoesOn(whole, rest);
  }

  @Test
  void run_thatFailedInItsListener_goesOnFromItsLastCheckpoint() throws IOException {
    Heard whole = whole();
    Runnable failure =
        () -> {
          throw new IllegalArgumentException("a listener's fault");
        };
    assertThrows(
        IllegalArgumentException.class,
        () -> train(keptEveryFive(config()), new Heard(8, failure)));
    Heard rest = resume();
    assertEquals(List.of(5L), rest.resumed);
    assertGoesOn(whole, rest);
  }

  @Test
  void patience_countsAcrossTheStop() throws IOException {
    TrainingConfig config =
        config()
            .withLearningRate(1e-30)
            .withEvaluationInterval(2)
            .withPatience(3)
            .withAveragedSteps(0);
    Heard whole = train(config, new Heard(-1));
    assertEquals(StopReason.PATIENCE, whole.result().reason());
    train(kept(config), new Heard(5));
    assertGoesOn(whole, resume());
  }

  @Test
  void automaticSteps_areDecidedOnce() throws IOException {
    TrainingConfig config =
        kept(config()).withSteps(TrainingConfig.AUTO).withTimeBudget(Duration.ofMillis(100));
    Heard begun = train(config, new Heard(1));
    Heard rest = resume();
    assertEquals(begun.plans, rest.plans);
    assertEquals(begun.plans.get(0).steps(), rest.result().steps());
  }

  @Test
  void fineTuning_isResumedWithItsOrigin() throws IOException {
    try (LanguageModel base = LanguageModel.train(CORPUS, config())) {
      TrainingConfig shapeless = TrainingConfig.defaults().withSteps(6).withThreads(1);
      Heard whole = new Heard(-1);
      LanguageModel.fineTune(base, CORPUS, shapeless, whole, whole.cancellation).close();
      Heard begun = new Heard(3);
      LanguageModel.fineTune(base, CORPUS, kept(shapeless), begun, begun.cancellation).close();
      try (LanguageModel model = LanguageModel.resume(run)) {
        assertTrue(
            model.provenance().orElseThrow().configuration().containsKey("base weights SHA-256"));
      }
      Heard again = resume();
      assertEquals(whole.result().evaluation(), again.result().evaluation());
    }
  }

  @Test
  void checkpoint_isAModel() throws IOException {
    train(kept(config()), new Heard(7));
    try (LanguageModel model = LanguageModel.load(run.resolve("checkpoint-000007"))) {
      assertEquals(16, model.config().channels());
      assertEquals("7", model.provenance().orElseThrow().configuration().get("steps done"));
    }
  }

  @Test
  void directory_mayBeMoved() throws IOException {
    Heard whole = whole();
    train(kept(config()), new Heard(7));
    run = Files.move(run, directory.resolve("moved"));
    assertGoesOn(whole, resume());
    assertFalse(Files.exists(directory.resolve("run")));
  }

  // ---- damaged ----

  private interface Damage {
    void to(Path checkpoint) throws IOException;
  }

  private static void flipABit(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 2] ^= 1;
    Files.write(file, bytes);
  }

  @Test
  void damagedCheckpoint_isPassedOver() throws IOException {
    train(keptEveryFive(config()), new Heard(7));
    Path newest = run.resolve("checkpoint-000007");
    Path copy = copy(newest, directory.resolve("copy"));
    List<Damage> damages =
        List.of(
            checkpoint -> flipABit(checkpoint.resolve("model.safetensors")),
            checkpoint -> flipABit(checkpoint.resolve("optimizer.safetensors")),
            checkpoint -> flipABit(checkpoint.resolve("trainer_state.json")),
            checkpoint -> flipABit(checkpoint.resolve("tokenizer.json")),
            checkpoint -> flipABit(checkpoint.resolve("SHA256SUMS")),
            checkpoint -> Files.delete(checkpoint.resolve("optimizer.safetensors")),
            checkpoint -> Files.delete(checkpoint.resolve("SHA256SUMS")),
            checkpoint -> Files.write(checkpoint.resolve("SHA256SUMS"), new byte[0]));
    for (Damage damage : damages) {
      damage.to(newest);
      try (RunDirectory open = RunDirectory.open(run)) {
        assertEquals(5, open.newest().progress().step());
      }
      assertFalse(Files.exists(newest));
      copy(copy, newest);
    }
    flipABit(newest.resolve("optimizer.safetensors"));
    Heard rest = resume();
    assertEquals(List.of(5L), rest.resumed);
    assertGoesOn(whole(), rest);
    assertTrue(entries(run).contains("damaged-checkpoint-000007"), entries(run).toString());
  }

  private static Path copy(Path from, Path to) throws IOException {
    Files.createDirectory(to);
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(file.getFileName()));
      }
    }
    return to;
  }

  @Test
  void onlyDamagedCheckpoints_areNamed() throws IOException {
    train(keptEveryFive(config()), new Heard(7));
    flipABit(run.resolve("checkpoint-000005/model.safetensors"));
    flipABit(run.resolve("checkpoint-000007/optimizer.safetensors"));
    IOException e = assertThrows(IOException.class, this::resume);
    assertTrue(e.getMessage().contains("every checkpoint is damaged"), e.getMessage());
    assertTrue(e.getMessage().contains("checkpoint-000005/model.safetensors"), e.getMessage());
    assertTrue(e.getMessage().contains("checkpoint-000007/optimizer.safetensors"), e.getMessage());
  }

  @Test
  void damagedTokens_areNamed_andMadeAnewFromTheCorpus() throws IOException {
    Heard whole = whole();
    train(kept(config()), new Heard(7));
    flipABit(run.resolve("dataset.tokens"));
    IOException e = assertThrows(IOException.class, this::resume);
    assertTrue(e.getMessage().contains("dataset.tokens"), e.getMessage());
    Heard rest = resume(ResumeConfig.defaults().withData(CORPUS, config()), new Heard(-1));
    assertGoesOn(whole, rest);
  }

  // ---- changed ----

  @Test
  void sameDataAndConfiguration_goOn() throws IOException {
    Heard whole = whole();
    train(kept(config()), new Heard(7));
    assertGoesOn(
        whole, resume(ResumeConfig.defaults().withData(CORPUS, kept(config())), new Heard(-1)));
  }

  @Test
  void otherSettings_areNamed_andMayBeAllowed() throws IOException {
    train(kept(config()), new Heard(7));
    ResumeConfig other = ResumeConfig.defaults().withConfig(config().withSeed(9).withPatience(3));
    assertRefused(other, "patience was 0, is 3; seed was 1, is 9");
    Heard rest = resume(other.withChangesAllowed(), new Heard(9));
    assertEquals(9, rest.plans.get(0).seed());
    assertEquals(9, resume().plans.get(0).seed());
  }

  @Test
  void otherData_areNamed_andMayBeAllowed() throws IOException {
    train(kept(config()), new Heard(7));
    Corpus shorter = Corpus.of(List.of(TEXT.substring(100)));
    ResumeConfig other = ResumeConfig.defaults().withData(shorter, config());
    assertRefused(other, "the data were others");
    assertRefused(other, "SHA-256 " + shorter.digest());
    resume(other.withChangesAllowed(), new Heard(9));
    Heard rest = resume();
    assertEquals(List.of(9L), rest.resumed);
    assertFalse(entries(run).contains("compared"));
  }

  @Test
  void shapeOptimizerAndTokenizer_neverChange() throws IOException {
    train(kept(config()), new Heard(7));
    ResumeConfig allowed = ResumeConfig.defaults().withChangesAllowed();
    assertRefused(
        allowed.withConfig(config().withModel(TransformerConfig.llama(1, 16, 3, 2, 16))),
        "the shape of a model cannot change");
    assertRefused(
        allowed.withConfig(config().withOptimizer(AdamWConfig.defaults())),
        "the kind of the optimizer cannot change");
    assertRefused(
        allowed.withConfig(config().withCheckpoints(directory)),
        "must be that of the run that is resumed");
  }

  @Test
  void moreSteps_lengthenTheRun() throws IOException {
    train(kept(config()), new Heard(-1));
    assertRefused(
        ResumeConfig.defaults().withSteps(5), "must not be less than those that are done");
    Heard rest = resume(ResumeConfig.defaults().withSteps(20), new Heard(-1));
    assertEquals(List.of(12L), rest.resumed);
    assertEquals(20, rest.result().steps());
    assertEquals(20, resume().plans.get(0).steps());
  }

  @Test
  void dropout_mayChange() throws IOException {
    train(kept(config()), new Heard(7));
    TrainingConfig without =
        config().withModel(TransformerConfig.llama(1, 16, 2, 2, 16).withDropout(0));
    ResumeConfig other = ResumeConfig.defaults().withConfig(without);
    assertRefused(other, "dropout=0.1");
    assertEquals(
        0, resume(other.withChangesAllowed(), new Heard(-1)).plans.get(0).model().dropout());
  }

  private void assertRefused(ResumeConfig config, String fault) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> resume(config, new Heard(-1)));
    assertTrue(e.getMessage().contains(fault), e.getMessage());
  }

  // ---- diverged ----

  @Test
  void divergedRun_keepsTheStateBeforeIt() throws IOException {
    TrainingConfig config = kept(config()).withLearningRate(1e30).withWarmupSteps(0);
    LanguageModel.DivergedException e =
        assertThrows(LanguageModel.DivergedException.class, () -> train(config, new Heard(-1)));
    e.lastGood().close();
    LanguageModel.DivergedException again =
        assertThrows(LanguageModel.DivergedException.class, this::resume);
    again.lastGood().close();
    assertEquals(e.getMessage(), again.getMessage());
  }

  // ---- the directory ----

  @Test
  void directoryOfARun_isNotTrainedInAnew() throws IOException {
    train(kept(config()), new Heard(3));
    IOException e = assertThrows(IOException.class, () -> train(kept(config()), new Heard(-1)));
    assertTrue(e.getMessage().contains("has a training run already"), e.getMessage());
  }

  @Test
  void directoryOfSomethingElse_isRefused() throws IOException {
    Files.createDirectory(run);
    Files.writeString(run.resolve("thesis.tex"), "years of work");
    IOException e = assertThrows(IOException.class, () -> train(kept(config()), new Heard(-1)));
    assertTrue(e.getMessage().contains("thesis.tex"), e.getMessage());
    assertEquals(List.of("thesis.tex"), entries(run));
    IOException none = assertThrows(IOException.class, this::resume);
    assertTrue(none.getMessage().contains("no training run"), none.getMessage());
  }

  @Test
  void runStoppedBeforeItsFirstCheckpoint_isBegunAnew() throws IOException {
    RunDirectory.create(run).close();
    IOException e = assertThrows(IOException.class, this::resume);
    assertTrue(e.getMessage().contains("before its first checkpoint"), e.getMessage());
    train(kept(config()), new Heard(3));
    assertEquals(List.of(3L), resume().resumed);
  }

  @Test
  void directoryInUse_isRefusedByProcess() throws IOException {
    train(kept(config()), new Heard(3));
    String id = "(" + ProcessHandle.current().pid() + ")";
    try (RunDirectory open = RunDirectory.open(run)) {
      IOException e = assertThrows(IOException.class, this::resume);
      assertTrue(e.getMessage().contains(id), e.getMessage());
      assertTrue(e.getMessage().contains(open.path().toString()), e.getMessage());
    }
    assertEquals(List.of(3L), resume().resumed);
  }

  private static List<String> entries(Path directory) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.map(path -> path.getFileName().toString()).sorted().toList();
    }
  }
}
