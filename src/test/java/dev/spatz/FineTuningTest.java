package dev.spatz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.checkpoint.Provenance;
import dev.spatz.dataset.Corpus;
import dev.spatz.generation.GenerationConfig;
import dev.spatz.training.TokenizerKind;
import dev.spatz.training.TrainingConfig;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;

@TestInstance(Lifecycle.PER_CLASS)
final class FineTuningTest {
  private static final GenerationConfig GREEDY =
      GenerationConfig.defaults().withTemperature(0).withMaxNewTokens(20);
  private static final TrainingConfig SHORT =
      TrainingConfig.defaults().withSteps(20).withBatchSize(4).withThreads(1);

  @TempDir static Path directory;
  private LanguageModel base;
  private Path corpus;

  @BeforeAll
  void train() throws IOException {
    Corpus birds = Corpus.of(List.of("A sparrow in the hand sings on the roof. ".repeat(60)));
    TransformerConfig shape = TransformerConfig.llama(280, 32, 2, 2, 16);
    base = LanguageModel.train(birds, SHORT.withModel(shape).withSeed(5));
    corpus =
        Files.writeString(
            directory.resolve("cats.txt"), "The cat sleeps under the roof all day. ".repeat(60));
  }

  @AfterAll
  void close() {
    base.close();
  }

  @Test
  void newModel_hasLearned_andTheGivenOneIsAsItWas() throws IOException {
    double before = base.evaluate(corpus).natsPerToken();
    String text = base.generate("A sparrow", GREEDY);
    try (LanguageModel tuned = LanguageModel.fineTune(base, corpus, SHORT.withLearningRate(3e-3))) {
      assertTrue(tuned.evaluate(corpus).natsPerToken() < before - 0.1);
      assertEquals(base.config(), tuned.config());
      assertEquals(base.tokenizer().vocabularySize(), tuned.tokenizer().vocabularySize());
    }
    assertEquals(before, base.evaluate(corpus).natsPerToken());
    assertEquals(text, base.generate("A sparrow", GREEDY));
  }

  @Test
  void provenance_namesTheBase_andItsBase() throws IOException {
    Provenance first = base.provenance().orElseThrow();
    Path saved = directory.resolve("tuned");
    try (LanguageModel tuned = LanguageModel.fineTune(base, corpus, SHORT)) {
      Provenance provenance = tuned.provenance().orElseThrow();
      assertEquals(first.dataDigest(), provenance.configuration().get("base data SHA-256"));
      assertEquals("5", provenance.configuration().get("base seed"));
      assertEquals(64, provenance.configuration().get("base weights SHA-256").length());
      tuned.save(saved);
    }
    try (LanguageModel twice = LanguageModel.fineTune(saved, corpus, SHORT)) {
      Provenance provenance = twice.provenance().orElseThrow();
      assertEquals(first.dataDigest(), provenance.configuration().get("base base data SHA-256"));
    }
  }

  @Test
  void learningRate_isATenthOfANewModels() throws IOException {
    try (LanguageModel tuned = LanguageModel.fineTune(base, corpus, SHORT)) {
      String fresh = base.provenance().orElseThrow().configuration().get("schedule");
      String lower = tuned.provenance().orElseThrow().configuration().get("schedule");
      assertEquals(peak(fresh) / 10, peak(lower), 1e-12);
    }
  }

  private static double peak(String schedule) {
    return Double.parseDouble(schedule.replaceAll(".*peak=([^,]+),.*", "$1"));
  }

  @Test
  void dropout_mayBeAnother() throws IOException {
    try (LanguageModel tuned = LanguageModel.fineTune(base, corpus, SHORT.withDropout(0.2));
        LanguageModel without =
            LanguageModel.fineTune(tuned, corpus, SHORT.withModel(tuned.config().withDropout(0)))) {
      assertEquals(0.2, tuned.config().dropout());
      assertEquals(0, without.config().dropout());
    }
  }

  @Test
  void settingsOfAnotherModel_areRefused() {
    assertRefused(
        SHORT.withVocabularySize(500), "vocabularySize (500) must be that of the model's");
    assertRefused(SHORT.withTokenizer(TokenizerKind.CHARACTER), "tokenizer (CHARACTER) must be");
    assertRefused(
        SHORT.withModel(TransformerConfig.llama(280, 32, 4, 2, 16)),
        "must be the model's own shape");
  }

  private void assertRefused(TrainingConfig config, String fault) {
    String message =
        assertThrows(
                IllegalArgumentException.class, () -> LanguageModel.fineTune(base, corpus, config))
            .getMessage();
    assertTrue(message.contains(fault), message);
  }

  @Test
  void closedModel_isRefused() throws IOException {
    Path saved = directory.resolve("closed");
    base.save(saved);
    LanguageModel model = LanguageModel.load(saved);
    model.close();
    assertThrows(IllegalStateException.class, () -> LanguageModel.fineTune(model, corpus, SHORT));
  }

  @Test
  void characterModel_keepsItsCharacters() throws IOException {
    TrainingConfig characters =
        SHORT
            .withTokenizer(TokenizerKind.CHARACTER)
            .withModel(TransformerConfig.gpt2(1, 16, 1, 2, 16));
    try (LanguageModel model = LanguageModel.train(corpus, characters)) {
      Path other = Files.writeString(directory.resolve("other.txt"), "Überall Tauben. ".repeat(60));
      String message =
          assertThrows(
                  IllegalArgumentException.class, () -> LanguageModel.fineTune(model, other, SHORT))
              .getMessage();
      assertTrue(message.contains("'Ü'"), message);
      try (LanguageModel tuned = LanguageModel.fineTune(model, corpus, SHORT)) {
        assertEquals(model.config(), tuned.config());
      }
    }
  }
}
