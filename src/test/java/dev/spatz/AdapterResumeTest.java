package dev.spatz;

import static dev.spatz.ShortLessons.TEXT;
import static dev.spatz.ShortLessons.config;
import static dev.spatz.ShortLessons.conversations;
import static dev.spatz.ShortLessons.preferences;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.spatz.dataset.Corpus;
import dev.spatz.dataset.TrainingSource;
import dev.spatz.generation.LoadOptions;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.WeightPrecision;
import dev.spatz.optimizer.AdamWConfig;
import dev.spatz.training.Cancellation;
import dev.spatz.training.CheckpointConfig;
import dev.spatz.training.ResumeConfig;
import dev.spatz.training.StepGuard;
import dev.spatz.training.StepReport;
import dev.spatz.training.TrainingConfig;
import dev.spatz.training.TrainingListener;
import dev.spatz.transformer.LoraAdapter;
import dev.spatz.transformer.LoraConfig;
import dev.spatz.transformer.LoraModule;
import dev.spatz.transformer.LoraTarget;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** An adapter whose training is stopped and resumed is the one that it would have been. */
class AdapterResumeTest {
  private static final LoraConfig LORA =
      new LoraConfig(3, 7.1, 0.1, LoraConfig.defaults().targets(), true);
  private static LanguageModel base;

  @TempDir Path directory;
  private Path run;

  private TrainingConfig kept() {
    return kept(config());
  }

  private TrainingConfig kept(TrainingConfig config) {
    return config.withCheckpoints(CheckpointConfig.of(run).withEvery(null).withEverySteps(2));
  }

  private static LanguageModel model(long seed) throws IOException {
    TransformerConfig shape = TransformerConfig.qwen3(300, 64, 1, 2, 32);
    TrainingConfig config = config().withDropout(0).withModel(shape).withSeed(seed);
    return LanguageModel.train(Corpus.of(List.of(TEXT)), config);
  }

  @BeforeAll
  static void train() throws IOException {
    base = model(1);
  }

  @AfterAll
  static void close() {
    base.close();
  }

  @BeforeEach
  void nameRun() {
    run = directory.resolve("run");
  }

  /** What an adapter is taught. */
  enum Lesson {
    TEXT,
    CONVERSATIONS,
    PREFERENCES;

    TrainingSource source(int first) {
      return switch (this) {
        case TEXT -> Corpus.of(List.of(first + ShortLessons.TEXT.replace('e', 'a')));
        case CONVERSATIONS -> conversations(first);
        case PREFERENCES -> preferences(first);
      };
    }
  }

  private static LoraAdapter tune(Lesson lesson, TrainingConfig config, TrainingListener listener)
      throws IOException {
    return LanguageModel.fineTuneAdapter(
        base, lesson.source(0), config, LORA, listener, new Cancellation());
  }

  /** Trains until after a step; what was done after the last checkpoint is done again. */
  private void trainUntil(long step, Lesson lesson, TrainingConfig config) {
    TrainingListener failing =
        new TrainingListener() {
          @Override
          public void stepDone(StepReport report) {
            if (report.step() == step) {
              throw new IllegalArgumentException("killed");
            }
          }
        };
    assertThrows(IllegalArgumentException.class, () -> tune(lesson, kept(config), failing));
  }

  private LoraAdapter resume(LanguageModel model, ResumeConfig config) throws IOException {
    return LanguageModel.resumeAdapter(
        model, run, config, TrainingListener.NONE, new Cancellation());
  }

  private static void assertSame(LoraAdapter expected, LoraAdapter actual) {
    assertEquals(expected.modules(), actual.modules());
    for (LoraModule module : expected.modules()) {
      assertArrayEquals(expected.a(module), actual.a(module));
      assertArrayEquals(expected.b(module), actual.b(module));
    }
    assertEquals(expected.config().scale(), actual.config().scale());
  }

  private void assertResumesExactly(long step, Lesson lesson, TrainingConfig config)
      throws IOException {
    LoraAdapter whole = tune(lesson, config, TrainingListener.NONE);
    trainUntil(step, lesson, config);
    LoraAdapter resumed = resume(base, ResumeConfig.defaults().withThreads(1));
    assertSame(whole, resumed);
    assertEquals(whole.origin().keySet(), resumed.origin().keySet());
    assertEquals(
        whole.origin().get(ModelTraining.CHAT_TEMPLATE),
        resumed.origin().get(ModelTraining.CHAT_TEMPLATE));
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 5, 9})
  void adapter_endsWithTheSameBytes(long step) throws IOException {
    assertResumesExactly(step, Lesson.CONVERSATIONS, config());
  }

  @ParameterizedTest
  @EnumSource(Lesson.class)
  void adapter_endsWithTheSameBytes_whateverItIsTaught(Lesson lesson) throws IOException {
    TrainingConfig config =
        config()
            .withOptimizer(AdamWConfig.defaults())
            .withGuard(new StepGuard(StepGuard.Action.ROLL_BACK, 20, 6, 3));
    assertResumesExactly(4, lesson, config);
  }

  @Test
  void checkpoint_isAnAdapter() throws IOException {
    trainUntil(9, Lesson.TEXT, config());
    LoraAdapter loaded = base.loadAdapter(run.resolve("checkpoint-000008"));
    assertEquals("8", loaded.origin().get("steps done"));
    assertThrows(IOException.class, () -> LanguageModel.load(run.resolve("checkpoint-000008")));
    assertTrue(Files.exists(run.resolve("metrics.jsonl")));
  }

  @Test
  void otherModelOrShape_isRefused() throws IOException {
    trainUntil(5, Lesson.CONVERSATIONS, config());
    ResumeConfig none = ResumeConfig.defaults();
    try (LanguageModel other = model(2)) {
      assertRefused(other, none, "base weights SHA-256 was ");
      LoraAdapter changed = resume(other, none.withChangesAllowed());
      assertEquals(
          ModelTraining.base(other).get("base weights SHA-256"),
          changed.origin().get("base weights SHA-256"));
    }
    assertRefused(base, none, "base weights SHA-256 was ");
    String shape = "the shape of an adapter cannot change";
    assertRefused(base, none.withLora(LORA.withRank(4)).withChangesAllowed(), shape);
    assertRefused(base, none.withLora(LORA.withTargets(LoraTarget.UP)), shape);
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> LanguageModel.resume(run));
    assertTrue(e.getMessage().contains("the run trains an adapter"), e.getMessage());
  }

  private void assertRefused(LanguageModel model, ResumeConfig config, String fault) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> resume(model, config)).getMessage();
    assertTrue(message.contains(fault), message);
  }

  @Test
  void adapterBesideAFrozenModel_endsWithTheSameBytes_butNotBesideTheWholeOne() throws IOException {
    try {
      WeightPrecision.INT8.require(KernelBackend.choose());
    } catch (IllegalStateException e) {
      assumeTrue(false, e.getMessage());
    }
    Path saved = directory.resolve("base");
    base.save(saved);
    LoadOptions options = LoadOptions.defaults().withFrozen(WeightPrecision.INT8);
    try (LanguageModel frozen = LanguageModel.load(saved, options)) {
      LoraAdapter whole = tune(frozen, Lesson.TEXT, config());
      tune(frozen, Lesson.TEXT, kept(config()));
      try (Stream<Path> last = Files.walk(run.resolve("checkpoint-000009"))) {
        for (Path file : last.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
      assertRefused(base, ResumeConfig.defaults(), "base weights SHA-256 was ");
      assertSame(whole, resume(frozen, ResumeConfig.defaults().withThreads(1)));
    }
  }

  private static LoraAdapter tune(LanguageModel model, Lesson lesson, TrainingConfig config)
      throws IOException {
    return LanguageModel.fineTuneAdapter(
        model, lesson.source(0), config, LORA, TrainingListener.NONE, new Cancellation());
  }

  @Test
  void dataGivenAgain_areCompared() throws IOException {
    LoraAdapter whole = tune(Lesson.CONVERSATIONS, config(), TrainingListener.NONE);
    trainUntil(5, Lesson.CONVERSATIONS, config());
    ResumeConfig other =
        ResumeConfig.defaults().withData(Lesson.CONVERSATIONS.source(1), config()).withLora(LORA);
    assertRefused(base, other, "the data were others");
    assertSame(whole, resume(base, other.withData(Lesson.CONVERSATIONS.source(0), config())));
  }

  @Test
  void runOfAModel_isNoRunOfAnAdapter() throws IOException {
    LanguageModel.fineTune(
            base, Lesson.TEXT.source(0), kept(), TrainingListener.NONE, new Cancellation())
        .close();
    assertRefused(base, ResumeConfig.defaults(), "the run trains a model, not an adapter");
    assertFalse(Files.exists(run.resolve("checkpoint-000009/adapter_config.json")));
  }
}
