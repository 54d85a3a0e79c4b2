package dev.spatz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.dataset.Conversation;
import dev.spatz.dataset.Conversations;
import dev.spatz.dataset.Corpus;
import dev.spatz.dataset.MalformedTextException;
import dev.spatz.dataset.Preference;
import dev.spatz.dataset.Preferences;
import dev.spatz.report.TrainingReport;
import dev.spatz.tokenizer.Message;
import dev.spatz.training.Cancellation;
import dev.spatz.training.PreferenceConfig;
import dev.spatz.training.PreferenceEvaluation;
import dev.spatz.training.TrainingConfig;
import dev.spatz.training.TrainingListener;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.commons.math3.stat.inference.AlternativeHypothesis;
import org.apache.commons.math3.stat.inference.BinomialTest;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Preferences of a judge who likes some words better than others, and errs at times: answers are of
 * three words each, drawn at random, and the better one has the larger sum of likings. Hardly an
 * answer is there twice, so that a held-out pair can only be judged by knowing the words.
 */
class PreferenceTuningTest {
  private static final Logger LOG = LoggerFactory.getLogger(PreferenceTuningTest.class);
  private static final List<String> WORDS =
      List.of("Spatz", "Taube", "Amsel", "Meise", "Fink", "Star", "Specht", "Kauz", "Rabe", "Gans");
  private static final double ERRORS = 0.1;
  private static LanguageModel base;

  @TempDir private Path directory;

  private static TrainingConfig config() {
    return TrainingConfig.defaults().withSteps(60).withBatchSize(8).withThreads(2);
  }

  private static String words(Random random) {
    List<String> words = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      words.add(WORDS.get(random.nextInt(WORDS.size())));
    }
    return String.join(" ", words);
  }

  /** The place in the list is how much the judge likes a word. */
  private static int liking(String answer) {
    int sum = 0;
    for (String word : answer.split(" ")) {
      sum += WORDS.indexOf(word);
    }
    return sum;
  }

  private static List<Preference> preferences(int count, double errors, long seed) {
    Random random = new Random(seed);
    List<Preference> all = new ArrayList<>();
    while (all.size() < count) {
      String prompt = "Drei zu " + words(random).split(" ")[0] + "?";
      String one = words(random);
      String other = words(random);
      if (liking(one) == liking(other)) {
        continue;
      }
      boolean better = liking(one) > liking(other) == random.nextDouble() >= errors;
      all.add(better ? Preference.of(prompt, one, other) : Preference.of(prompt, other, one));
    }
    return all;
  }

  @BeforeAll
  static void train() throws IOException {
    Random random = new Random(1);
    List<String> texts = new ArrayList<>();
    List<Conversation> talks = new ArrayList<>();
    for (int i = 0; i < 400; i++) {
      texts.add("Drei zu " + WORDS.get(i % WORDS.size()) + "? user assistant " + words(random));
      talks.add(Conversation.of("Drei zu " + WORDS.get(i % WORDS.size()) + "?", words(random)));
    }
    TransformerConfig shape = TransformerConfig.qwen3(320, 48, 1, 2, 32).withTiedEmbeddings(false);
    try (LanguageModel raw = LanguageModel.train(Corpus.of(texts), config().withModel(shape))) {
      base =
          LanguageModel.fineTune(
              raw,
              Conversations.of(talks),
              config().withLearningRate(1e-2),
              TrainingListener.NONE,
              new Cancellation());
    }
  }

  @AfterAll
  static void close() {
    base.close();
  }

  private static LanguageModel tune(Preferences preferences, TrainingConfig config)
      throws IOException {
    return LanguageModel.fineTune(
        base, preferences, config, TrainingListener.NONE, new Cancellation());
  }

  /** For each pair, whether the model finds the chosen answer likelier. */
  private static List<Boolean> judgements(LanguageModel model, List<Preference> pairs)
      throws IOException {
    List<Boolean> all = new ArrayList<>();
    for (Preference pair : pairs) {
      all.add(model.evaluate(Preferences.of(List.of(pair))).preferences().preferred() == 1);
    }
    return all;
  }

  /** McNemar's exact test: of the pairs judged otherwise than before, how many are right now? */
  @Test
  void heldOutAccuracy_risesSignificantly() throws IOException {
    List<Preference> heldOut = preferences(150, 0, 3);
    Preferences train = Preferences.of(preferences(600, ERRORS, 2));
    TrainingConfig config =
        config().withSteps(120).withPreference(PreferenceConfig.defaults().withLabelSmoothing(0.1));
    try (LanguageModel tuned = tune(train, config)) {
      List<Boolean> before = judgements(base, heldOut);
      List<Boolean> after = judgements(tuned, heldOut);
      int gained = 0;
      int lost = 0;
      for (int i = 0; i < heldOut.size(); i++) {
        gained += !before.get(i) && after.get(i) ? 1 : 0;
        lost += before.get(i) && !after.get(i) ? 1 : 0;
      }
      double p =
          new BinomialTest()
              .binomialTest(gained + lost, gained, 0.5, AlternativeHypothesis.GREATER_THAN);
      PreferenceEvaluation whole = tuned.evaluate(Preferences.of(heldOut)).preferences();
      LOG.info("{} gained, {} lost, p = {}; before {}", gained, lost, p, before);
      LOG.info("after: {}", whole);
      assertTrue(p < 1e-6, gained + " gained, " + lost + " lost");
      assertEquals(after.stream().filter(right -> right).count(), whole.preferred());
      assertTrue(whole.accuracyInterval().getLowerBound() > 0.75, whole.toString());
    }
  }

  @Test
  void reportsAndLogs_tellOfThePairs() throws IOException {
    try (TrainingReport report = TrainingReport.into(directory);
        LanguageModel tuned =
            LanguageModel.fineTune(
                base,
                Preferences.of(preferences(40, 0, 4)),
                config().withSteps(4),
                report,
                new Cancellation())) {
      assertTrue(tuned.provenance().orElseThrow().configuration().containsKey("preference"));
    }
    String metrics = Files.readString(directory.resolve(TrainingReport.METRICS));
    for (String name : List.of("pairs", "preference_accuracy", "margin", "rejected_log")) {
      assertTrue(metrics.contains("\"" + name), metrics);
    }
    assertTrue(metrics.contains("beta=0.1"), metrics);
    String page = Files.readString(directory.resolve(TrainingReport.PAGE));
    assertTrue(page.contains("Log-probability of rejected answers"));
  }

  @Test
  void faultyRecords_areRefusedByLine_orLeftOut() throws IOException {
    String good = "{\"prompt\": \"Drei zu Star?\", \"chosen\": \"Gans\", \"rejected\": \"Spatz\"}";
    String tooLong = good.replace("Gans", "Gans ".repeat(60));
    Path file = directory.resolve("pairs.jsonl");
    Files.writeString(file, (good + "\n").repeat(3) + "{}\n" + good + "\n" + tooLong + "\n");
    Preferences all = Preferences.of(file);
    IOException malformed =
        assertThrows(MalformedTextException.class, () -> tune(all, config().withSteps(1)));
    assertTrue(malformed.getMessage().contains("line 4"), malformed.getMessage());
    TrainingConfig half = config().withSteps(1).withValidationFraction(0.5);
    tune(all.skippingFaults(), half).close();
    Files.writeString(file, good + "\n" + tooLong + "\n");
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> base.evaluate(Preferences.of(file)));
    assertTrue(refused.getMessage().contains("line 2"), refused.getMessage());
    assertEquals(1, base.evaluate(all.skippingFaults()).preferences().pairs());
  }

  @Test
  void whatCannotBe_isRefused() {
    Preferences some = Preferences.of(preferences(20, 0, 5));
    TrainingConfig corpus = config().withValidationCorpus(Corpus.of(List.of("text")));
    assertThrows(IllegalArgumentException.class, () -> tune(some, corpus));
    TrainingConfig preferring = config().withPreference(PreferenceConfig.defaults());
    Conversations talks = Conversations.of(List.of(Conversation.of("a", "b")));
    assertThrows(
        IllegalArgumentException.class,
        () ->
            LanguageModel.fineTune(
                base, talks, preferring, TrainingListener.NONE, new Cancellation()));
    assertThrows(IllegalArgumentException.class, () -> base.evaluate(Preferences.of(List.of())));
    assertThrows(
        IllegalArgumentException.class,
        () -> new Preference(List.of(Message.assistant("a")), "b", "c", "here"));
  }
}
