package dev.spatz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.dataset.Corpus;
import dev.spatz.generation.FinishReason;
import dev.spatz.generation.Generation;
import dev.spatz.generation.GenerationConfig;
import dev.spatz.generation.LoadOptions;
import dev.spatz.generation.TextScore;
import dev.spatz.generation.TextStream;
import dev.spatz.kernel.WeightPrecision;
import dev.spatz.training.Cancellation;
import dev.spatz.training.Evaluation;
import dev.spatz.training.StepReport;
import dev.spatz.training.TokenizerKind;
import dev.spatz.training.TrainingConfig;
import dev.spatz.training.TrainingListener;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;

@TestInstance(Lifecycle.PER_CLASS)
class LanguageModelTest {
  private static final List<String> POSTS =
      List.of("Spatz in der Hand 🐦", "Taube auf dem Dach", "kein Vogel heute", "");
  private static final GenerationConfig SEEDED =
      GenerationConfig.defaults().withSeed(42).withMaxNewTokens(20);

  @TempDir Path directory;
  private LanguageModel model;

  private static TrainingConfig tiny() {
    return TrainingConfig.defaults()
        .withModel(TransformerConfig.llama(300, 32, 2, 2, 16))
        .withSteps(5)
        .withBatchSize(2)
        .withThreads(1);
  }

  private static Corpus corpus() {
    List<String> posts = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      posts.addAll(POSTS);
    }
    return Corpus.of(posts);
  }

  @BeforeAll
  void train() throws IOException {
    model = LanguageModel.train(corpus(), tiny());
  }

  @AfterAll
  void close() {
    model.close();
  }

  /** Equal but for the time they took. */
  private static void assertEqualText(Generation expected, Generation actual) {
    assertEquals(expected, withTiming(actual, expected.timing()));
  }

  private static Generation withTiming(Generation generation, Generation.Timing timing) {
    return new Generation(
        generation.text(),
        generation.promptTokens(),
        generation.cachedPromptTokens(),
        generation.newTokens(),
        generation.seed(),
        generation.finishReason(),
        generation.tokens(),
        timing);
  }

  @Test
  void stream_joinsToTheText() {
    Generation whole = model.complete("Spatz", SEEDED);
    StringBuilder pieces = new StringBuilder();
    try (TextStream stream = model.stream("Spatz", SEEDED)) {
      assertThrows(IllegalStateException.class, stream::result);
      stream.forEach(pieces::append);
      assertEqualText(whole, stream.result());
      assertThrows(IllegalStateException.class, stream::iterator);
    }
    assertEquals(whole.text(), pieces.toString());
    StringBuilder heard = new StringBuilder();
    model.complete("Spatz", SEEDED, heard::append);
    assertEquals(whole.text(), heard.toString());
  }

  @Test
  void stream_endsWhenClosed() {
    TextStream stream = model.stream("Spatz", SEEDED.withStopAtEndOfText(false));
    Iterator<String> pieces = stream.iterator();
    pieces.next();
    stream.close();
    stream.close();
    assertFalse(pieces.hasNext());
    assertEquals(FinishReason.CANCELLED, stream.result().finishReason());
  }

  @Test
  void generateAsync_givesTheSame() throws Exception {
    assertEqualText(model.complete("Spatz", SEEDED), model.generateAsync("Spatz", SEEDED).get());
  }

  @Test
  void complete_endsWhenInterrupted() {
    Thread.currentThread().interrupt();
    Generation generation = model.complete("Spatz", SEEDED);
    assertTrue(Thread.interrupted());
    assertEquals(FinishReason.CANCELLED, generation.finishReason());
  }

  @Test
  void generate_isTheTextOfComplete() {
    Generation generation = model.complete("Spatz", SEEDED);
    assertEquals(generation.text(), model.generate("Spatz", SEEDED));
    assertTrue(generation.newTokens() <= 20 && generation.newTokens() > 0);
    assertEquals(42, generation.seed());
  }

  @Test
  void complete_reportsTheSeedItDrew() {
    GenerationConfig unseeded = GenerationConfig.defaults().withMaxNewTokens(20);
    Generation first = model.complete("Taube", unseeded);
    Generation second = model.complete("Taube", unseeded);
    assertNotEquals(first.seed(), second.seed());
    assertEqualText(first, model.complete("Taube", unseeded.withSeed(first.seed())));
  }

  @Test
  void complete_startsWithAnEmptyPrompt() {
    assertEquals(1, model.complete("", SEEDED).promptTokens());
  }

  @Test
  void complete_beginsADocumentWhereThereWereMany() {
    int ids = model.tokenizer().encode("Spatz").length;
    assertEquals(1 + ids, model.complete("Spatz", SEEDED).promptTokens());
  }

  @Test
  void complete_addsNothingWhereThereWasOneDocument() throws IOException {
    Corpus one = Corpus.of(List.of(String.join(" ", POSTS).repeat(30)));
    try (LanguageModel single = LanguageModel.train(one, tiny().withSteps(1))) {
      int ids = single.tokenizer().encode("Spatz").length;
      assertEquals(ids, single.complete("Spatz", SEEDED).promptTokens());
    }
  }

  @Test
  void complete_stopsWhereTheContextIsFull() {
    GenerationConfig endless =
        SEEDED.withMaxNewTokens(1000).withStopAtEndOfText(false).withTemperature(1);
    Generation generation = model.complete("Spatz", endless);
    assertEquals(FinishReason.CONTEXT_FULL, generation.finishReason());
    assertEquals(32 + 1, generation.promptTokens() + generation.newTokens());
  }

  @Test
  void complete_refusesAPromptWithoutRoom() {
    String message =
        assertThrows(IllegalArgumentException.class, () -> model.complete("x".repeat(500), SEEDED))
            .getMessage();
    assertTrue(message.contains("tokens leaves no room in the context of 32"), message);
  }

  @Test
  void complete_takesSpecialTokensInAPromptAsText() {
    assertTrue(model.complete("<|endoftext|>", SEEDED).promptTokens() > 1);
  }

  @Test
  void complete_isTheSameOnManyThreads() throws Exception {
    Generation alone = model.complete("Spatz in", SEEDED);
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      Callable<Generation> call = () -> model.complete("Spatz in", SEEDED);
      for (Future<Generation> future : threads.invokeAll(List.of(call, call, call, call))) {
        assertEqualText(alone, future.get());
      }
    } finally {
      threads.shutdown();
    }
  }

  @Test
  void save_keepsTheTextTheEvaluationAndTheProvenance() throws IOException {
    Path saved = directory.resolve("model");
    model.save(saved);
    model.save(saved); // replaces
    try (LanguageModel loaded = LanguageModel.load(saved)) {
      assertEqualText(model.complete("Spatz", SEEDED), loaded.complete("Spatz", SEEDED));
      assertEquals(model.evaluate(corpus()), loaded.evaluate(corpus()));
      assertEquals(model.provenance(), loaded.provenance());
      assertTrue(loaded.provenance().isPresent());
    }
  }

  @Test
  void load_inEveryPrecision_writesAndEvaluates() throws IOException {
    Path saved = directory.resolve("model");
    model.save(saved);
    double exact = model.evaluate(corpus()).natsPerToken();
    LoadOptions options = LoadOptions.defaults();
    for (WeightPrecision precision : WeightPrecision.values()) {
      Generation text;
      try (LanguageModel loaded = LanguageModel.load(saved, options.withPrecision(precision))) {
        assertEquals(exact, loaded.evaluate(corpus()).natsPerToken(), 0.02 * exact);
        assertEquals(0, loaded.memory().packedWeights());
        text = loaded.complete("Spatz", SEEDED);
        assertTrue(loaded.memory().packedWeights() > 0);
      } catch (IllegalStateException e) { // this machine has no instructions for it
        assertTrue(e.getMessage().startsWith("precision (" + precision + ")"), e::getMessage);
        continue;
      }
      LoadOptions three = options.withPrecision(precision).withThreads(3);
      try (LanguageModel loaded = LanguageModel.load(saved, three)) {
        assertEqualText(text, loaded.complete("Spatz", SEEDED));
      }
    }
    assertThrows(IllegalArgumentException.class, () -> options.withThreads(0));
  }

  /** A model of one long document puts nothing before a prompt, nor does an evaluation. */
  @Test
  void score_sumsToTheLossOfAnEvaluation() throws IOException {
    String text = "Spatz in der Hand auf dem Dach 🐦";
    Corpus one = Corpus.of(List.of((text + " ").repeat(60)));
    try (LanguageModel single = LanguageModel.train(one, tiny().withSteps(2))) {
      String first = single.tokenizer().decode(single.tokenizer().encode(text)[0]);
      String rest = text.substring(first.length());
      TextScore score = single.score(first, rest);
      Evaluation evaluation = single.evaluate(Corpus.of(List.of(text)));
      assertEquals(evaluation.tokens(), score.tokens().size());
      assertEquals(evaluation.natsPerToken(), -score.meanLogProbability(), 1e-5);
      assertEquals(evaluation.perplexity(), score.perplexity(), 1e-5 * score.perplexity());
      assertEquals(score, single.rank(first, List.of(rest)).get(0).score());
      assertEquals(1 + score.tokens().size(), single.score(text).tokens().size());
      assertEquals(16, single.embed(text).length);
    }
  }

  @Test
  void generationDefaults_areSavedAndUsed() throws IOException {
    assertEquals(GenerationConfig.defaults(), model.generationDefaults());
    GenerationConfig own =
        GenerationConfig.defaults().withTopK(1).withMaxNewTokens(9).withStopStrings("xyz");
    Path saved = directory.resolve("with-defaults");
    model.save(saved, own);
    try (LanguageModel loaded = LanguageModel.load(saved)) {
      assertEquals(own, loaded.generationDefaults());
      assertEquals(model.generate("Spatz", own), loaded.generate("Spatz"));
      loaded.save(saved);
    }
    try (LanguageModel again = LanguageModel.load(saved)) {
      assertEquals(own, again.generationDefaults());
    }
    assertThrows(IllegalArgumentException.class, () -> model.save(saved, SEEDED));
  }

  @Test
  void evaluate_readsAFile() throws IOException {
    Path file = directory.resolve("text.txt");
    Files.writeString(file, "Taube auf dem Dach. ".repeat(30));
    assertTrue(model.evaluate(file).bitsPerByte() > 0);
  }

  @Test
  void train_learnsCharacters() throws IOException {
    TrainingConfig characters = tiny().withTokenizer(TokenizerKind.CHARACTER);
    try (LanguageModel small = LanguageModel.train(corpus(), characters)) {
      assertTrue(small.config().vocabularySize() < 40);
      String message =
          assertThrows(IllegalArgumentException.class, () -> small.generate("Ω")).getMessage();
      assertTrue(message.contains("Ω"), message);
    }
  }

  @Test
  void train_learnsAVocabularyOfTheModelsSize() throws IOException {
    TrainingConfig config = tiny().withModel(TransformerConfig.llama(280, 32, 2, 2, 16));
    try (LanguageModel given = LanguageModel.train(corpus(), config.withSteps(1))) {
      assertEquals(280, given.tokenizer().vocabularySize());
      assertEquals(280, given.config().vocabularySize());
    }
  }

  @Test
  void train_measuresWithASeparateCorpus() throws IOException {
    Corpus other = Corpus.of(List.of("Taube auf dem Dach. ".repeat(30)));
    try (LanguageModel measured =
        LanguageModel.train(corpus(), tiny().withValidationCorpus(other))) {
      assertEquals(
          measured.evaluate(other).natsPerToken(),
          measured.provenance().orElseThrow().validationLoss(),
          1e-6);
    }
  }

  @Test
  void train_givesTheSameFileForTheSameDataAndConfiguration() throws IOException {
    Path first = directory.resolve("first");
    Path second = directory.resolve("second");
    model.save(first);
    try (LanguageModel again = LanguageModel.train(corpus(), tiny())) {
      again.save(second);
    }
    for (String file : List.of("model.safetensors", "tokenizer.json")) {
      assertEquals(-1, Files.mismatch(first.resolve(file), second.resolve(file)), file);
    }
  }

  @Test
  void severalEndsOfText_eachEndIt_andAreKept() throws IOException {
    Path own = directory.resolve("own");
    Path ends = directory.resolve("ends");
    model.save(own);
    GenerationConfig greedy = GenerationConfig.greedy().withMaxNewTokens(20).withAlternatives(0);
    Generation whole = model.complete("der ", greedy);
    int third = whole.tokens().get(2).chosen().id();
    Path settings = own.resolve("generation_config.json");
    String json = Files.readString(settings);
    int end = model.tokenizer().endOfText();
    String changed =
        json.replaceFirst(
            "\"eos_token_id\": " + end, "\"eos_token_id\": [" + end + ", " + third + "]");
    assertNotEquals(json, changed);
    Files.writeString(settings, changed);
    try (LanguageModel loaded = LanguageModel.load(own)) {
      loaded.save(ends);
    }
    try (LanguageModel again = LanguageModel.load(ends)) {
      Generation ended = again.complete("der ", greedy);
      assertEquals(FinishReason.END_OF_TEXT, ended.finishReason());
      assertTrue(ended.newTokens() <= 3, ended.toString());
      assertTrue(whole.text().startsWith(ended.text()));
      assertEquals(whole.text(), again.complete("der ", greedy.withStopAtEndOfText(false)).text());
    }
  }

  @Test
  void train_refusesTooLittleText() {
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> LanguageModel.train(Corpus.of(List.of("kurz")), tiny()))
            .getMessage();
    assertTrue(message.contains("33"), message);
  }

  @Test
  void train_canBeCancelled() throws IOException {
    Cancellation cancellation = new Cancellation();
    TrainingListener cancelling =
        new TrainingListener() {
          @Override
          public void stepDone(StepReport report) {
            cancellation.cancel();
          }
        };
    try (LanguageModel early =
        LanguageModel.train(corpus(), tiny().withSteps(1000), cancelling, cancellation)) {
      assertEquals("1", early.provenance().orElseThrow().configuration().get("steps done"));
    }
  }

  @Test
  void train_thatDivergesLeavesTheLastGoodModel() {
    TrainingConfig ruinous = tiny().withLearningRate(1e38).withGradientClip(0).withSteps(50);
    LanguageModel.DivergedException e =
        assertThrows(
            LanguageModel.DivergedException.class, () -> LanguageModel.train(corpus(), ruinous));
    assertTrue(e.getMessage().startsWith("step "), e.getMessage());
    try (LanguageModel lastGood = e.lastGood()) {
      assertFalse(Double.isNaN(evaluate(lastGood)));
    }
  }

  private static double evaluate(LanguageModel model) {
    try {
      return model.evaluate(corpus()).natsPerToken();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void calls_afterCloseAreRefused() throws IOException {
    LanguageModel closed = LanguageModel.train(corpus(), tiny().withSteps(1));
    closed.close();
    closed.close();
    assertThrows(IllegalStateException.class, () -> closed.generate("Spatz"));
    assertThrows(IllegalStateException.class, () -> closed.stream("Spatz", SEEDED));
    assertThrows(IllegalStateException.class, () -> closed.generateAsync("Spatz", SEEDED));
    assertThrows(IllegalStateException.class, () -> closed.save(directory.resolve("closed")));
    assertThrows(IllegalStateException.class, () -> closed.evaluate(corpus()));
  }
}
