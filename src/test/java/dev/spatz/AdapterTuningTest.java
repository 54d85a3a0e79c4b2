package dev.spatz;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.spatz.checkpoint.GgufType;
import dev.spatz.dataset.Conversation;
import dev.spatz.dataset.Conversations;
import dev.spatz.dataset.Corpus;
import dev.spatz.generation.Generation;
import dev.spatz.generation.GenerationConfig;
import dev.spatz.generation.LoadOptions;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.WeightPrecision;
import dev.spatz.training.Cancellation;
import dev.spatz.training.Evaluation;
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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Adapters through the door: taught, saved, loaded, used, merged. */
@TestInstance(Lifecycle.PER_CLASS)
final class AdapterTuningTest {
  private static final GenerationConfig GREEDY = GenerationConfig.greedy().withMaxNewTokens(20);
  private static final TrainingConfig SHORT =
      TrainingConfig.defaults().withSteps(30).withBatchSize(8).withThreads(1);
  private static final LoraConfig LORA = LoraConfig.defaults().withDropout(0.05);
  private static final List<String> BIRDS = List.of("Spatz", "Taube", "Amsel", "Meise");

  @TempDir private Path directory;
  private LanguageModel base;
  private double before;
  private LoraAdapter cats;

  @BeforeAll
  void train() throws IOException {
    Corpus birds = Corpus.of(List.of("A sparrow in the hand sings on the roof. ".repeat(60)));
    TransformerConfig shape = TransformerConfig.qwen3(280, 48, 2, 4, 32).withKeyValueHeads(2);
    base = LanguageModel.train(birds, SHORT.withModel(shape).withSeed(5));
    before = base.evaluate(cats()).natsPerToken();
    cats = tune(SHORT, LORA);
  }

  @AfterAll
  void close() {
    base.close();
  }

  private static Corpus cats() {
    return Corpus.of(List.of("The cat sleeps under the roof all day. ".repeat(60)));
  }

  private LoraAdapter tune(TrainingConfig config, LoraConfig lora) throws IOException {
    return LanguageModel.fineTuneAdapter(
        base, cats(), config, lora, TrainingListener.NONE, new Cancellation());
  }

  @Test
  void adapter_hasLearned_andTheModelIsAsItWas() throws IOException {
    String plain = base.generate("The cat", GREEDY);
    String adapted = base.generate("The cat", GREEDY.withAdapter(cats));
    assertNotEquals(plain, adapted);
    assertEquals(before, base.evaluate(cats()).natsPerToken());
    assertTrue(cats.parameterCount() < base.config().parameterCount());
    try (LanguageModel merged = base.merge(cats)) {
      double after = merged.evaluate(cats()).natsPerToken();
      assertTrue(after < before - 0.5, before + " to " + after);
      assertEquals(adapted, merged.generate("The cat", GREEDY));
      assertEquals(
          "1.0", merged.provenance().orElseThrow().configuration().get("adapter 1 weight"));
      Path saved = directory.resolve("merged");
      merged.save(saved);
      try (LanguageModel again = LanguageModel.load(saved)) {
        assertEquals(adapted, again.generate("The cat", GREEDY));
      }
    }
  }

  @Test
  void adapter_isSavedAndLoaded_andUsedBesideOthers() throws IOException {
    Path saved = directory.resolve("adapter");
    base.saveAdapter(cats, saved);
    LoraAdapter again = base.loadAdapter(saved);
    assertEquals(cats.origin(), again.origin());
    assertEquals(
        base.provenance().orElseThrow().dataDigest(), again.origin().get("base data SHA-256"));
    GenerationConfig some = GREEDY.withMaxNewTokens(10);
    List<GenerationConfig> configs =
        List.of(
            some,
            some.withAdapter(again),
            some.withAdapters(cats.weighted(0.5), again.weighted(0.5)),
            some.withAdapters(again.weighted(1), again.weighted(-1)));
    List<String> alone = configs.stream().map(config -> base.generate("The cat", config)).toList();
    assertEquals(base.generate("The cat", some.withAdapter(cats)), alone.get(1));
    assertEquals(alone.get(0), alone.get(3), "an adapter less itself");
    List<Generation> together =
        configs.stream().map(config -> base.generateAsync("The cat", config)).toList().stream()
            .map(future -> future.join())
            .toList();
    assertEquals(alone, together.stream().map(Generation::text).toList());
  }

  @Test
  void sameSeed_givesTheSameBytes_onAnyNumberOfThreads() throws IOException {
    TrainingConfig sharded = SHORT.withSteps(4).withShards(4);
    LoraAdapter one = tune(sharded.withThreads(1), LORA);
    LoraAdapter three = tune(sharded.withThreads(3), LORA);
    LoraAdapter other = tune(sharded.withSeed(2), LORA);
    for (LoraModule module : one.modules()) {
      assertArrayEquals(one.a(module), three.a(module));
      assertArrayEquals(one.b(module), three.b(module));
    }
    LoraModule module = one.modules().get(0);
    assertTrue(!Arrays.equals(one.a(module), other.a(module)));
  }

  @Test
  void conversations_teachAnAdapterToAnswer() throws IOException {
    List<Conversation> all = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      String bird = BIRDS.get(i % 4);
      all.add(Conversation.of("Was sagt der " + bird + "?", bird + i % 4));
    }
    List<Double> losses = new ArrayList<>();
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void evaluated(long step, Evaluation evaluation, boolean best) {
            losses.add(evaluation.natsPerToken());
          }
        };
    LoraAdapter taught =
        LanguageModel.fineTuneAdapter(
            base,
            Conversations.of(all),
            SHORT.withSteps(60),
            LORA.withTargets(LoraTarget.QUERY, LoraTarget.VALUE, LoraTarget.DOWN),
            listener,
            new Cancellation());
    assertTrue(losses.get(losses.size() - 1) < 0.7 * losses.get(0), losses.toString());
    try (LanguageModel merged = base.merge(taught)) {
      Path saved = directory.resolve("taught");
      merged.save(saved);
      String config = Files.readString(saved.resolve("tokenizer_config.json"));
      assertTrue(config.contains("chat_template"), config);
    }
  }

  /** The adapter of the demonstration's recipe, beside weights that are kept rounded. */
  @ParameterizedTest
  @EnumSource(names = {"BF16", "INT8"})
  void frozenModel_teachesAnAdapterAsGood(WeightPrecision precision) throws IOException {
    assumePossible(precision);
    Path saved = directory.resolve("base-" + precision);
    base.save(saved);
    LoadOptions options = LoadOptions.defaults().withFrozen(precision);
    try (LanguageModel frozen = LanguageModel.load(saved, options)) {
      assertTrue(frozen.memory().weights() < base.memory().weights());
      LoraAdapter beside =
          LanguageModel.fineTuneAdapter(
              frozen, cats(), SHORT, LORA, TrainingListener.NONE, new Cancellation());
      try (LanguageModel merged = base.merge(cats);
          LanguageModel other = base.merge(beside)) {
        double expected = merged.evaluate(cats()).natsPerToken();
        double actual = other.evaluate(cats()).natsPerToken();
        assertEquals(expected, actual, 0.03 * before, "nats a token");
      }
      assertNotEquals(
          frozen.generate("The cat", GREEDY),
          frozen.generate("The cat", GREEDY.withAdapter(beside)));
      assertThrows(IllegalStateException.class, () -> frozen.merge(beside));
      assertThrows(IllegalStateException.class, () -> frozen.save(directory.resolve("no")));
      assertThrows(
          IllegalStateException.class,
          () -> frozen.exportGguf(directory.resolve("no.gguf"), GgufType.F32));
      assertThrows(
          IllegalStateException.class,
          () ->
              LanguageModel.fineTune(
                  frozen, cats(), SHORT, TrainingListener.NONE, new Cancellation()));
      assertTrue(Files.notExists(directory.resolve("no")));
      Path adapter = directory.resolve("beside-" + precision);
      frozen.saveAdapter(beside, adapter);
      assertEquals(beside.origin(), base.loadAdapter(adapter).origin());
    }
  }

  private static void assumePossible(WeightPrecision precision) {
    try {
      precision.require(KernelBackend.choose());
    } catch (IllegalStateException e) {
      assumeTrue(false, e.getMessage());
    }
  }

  @Test
  void frozen_needsFewerBytes() {
    assertThrows(
        IllegalArgumentException.class,
        () -> LoadOptions.defaults().withFrozen(WeightPrecision.FLOAT32));
    assertThrows(
        IllegalArgumentException.class,
        () ->
            LoadOptions.defaults()
                .withFrozen(WeightPrecision.INT8)
                .withPrecision(WeightPrecision.FLOAT32));
  }

  @Test
  void whatCannotBe_isRefused() {
    assertRefused(SHORT.withVocabularySize(500), LORA, "vocabularySize (500)");
    assertRefused(SHORT, LORA.withTargets(LoraTarget.QUERY_KEY_VALUE), "targets (QUERY_KEY_VALUE)");
    assertThrows(IOException.class, () -> base.loadAdapter(directory.resolve("nothing")));
  }

  private void assertRefused(TrainingConfig config, LoraConfig lora, String fault) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> tune(config, lora)).getMessage();
    assertTrue(message.contains(fault), message);
  }
}
