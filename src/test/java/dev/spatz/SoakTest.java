package dev.spatz;

import dev.spatz.constraint.Constraint;
import dev.spatz.dataset.Conversation;
import dev.spatz.dataset.Conversations;
import dev.spatz.dataset.Corpus;
import dev.spatz.generation.EngineConfig;
import dev.spatz.generation.GenerationConfig;
import dev.spatz.generation.LoadOptions;
import dev.spatz.generation.TextStream;
import dev.spatz.report.TrainingReport;
import dev.spatz.training.Cancellation;
import dev.spatz.training.CheckpointConfig;
import dev.spatz.training.StepReport;
import dev.spatz.training.TrainingConfig;
import dev.spatz.training.TrainingListener;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Long runs take no more memory than short ones, on the heap or off it. So many steps and texts
 * here; more of them, with the curves in {@code target/soak}:
 *
 * <pre>{@code
 * mvn test -Dtest=SoakTest -Dspatz.soak=10000
 * }</pre>
 */
final class SoakTest {
  private static final int WORK = Integer.getInteger("spatz.soak", 200);
  private static final Path CURVES = Path.of("target", "soak");

  /** For a few beginnings of prompts, so that it is full soon. */
  private static final EngineConfig ENGINE = EngineConfig.defaults().withPrefixCacheBytes(1 << 18);

  private static LanguageModel base;

  @TempDir Path directory;

  private static TrainingConfig config() {
    return TrainingConfig.defaults()
        .withModel(TransformerConfig.llama(300, 128, 2, 2, 32).withDropout(0.1))
        .withBatchSize(4)
        .withEvaluationInterval(Math.max(10, WORK / 40))
        .withEvaluationTokens(1 << 12)
        .withThreads(2);
  }

  @BeforeAll
  static void train(@TempDir Path saved) throws IOException {
    try (LanguageModel model =
        LanguageModel.train(Corpus.of(List.of(text(20_000))), config().withSteps(30))) {
      model.save(saved);
    }
    base = LanguageModel.load(saved, LoadOptions.defaults().withEngine(ENGINE));
  }

  @AfterAll
  static void close() {
    base.close();
  }

  /** Words of all lengths; the same each time. */
  private static String text(int words) {
    Random random = new Random(1);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < words; i++) {
      int length = 1 + random.nextInt(9);
      for (int j = 0; j < length; j++) {
        text.append((char) ('a' + random.nextInt(1 + random.nextInt(26))));
      }
      text.append(i % 12 == 11 ? ". " : " ");
    }
    return text.toString();
  }

  @Test
  void trainingOnText_isFlat() throws IOException {
    MemoryCurve curve = new MemoryCurve(WORK);
    try (TrainingReport report = TrainingReport.into(directory.resolve("report"))) {
      TrainingConfig kept =
          config()
              .withSteps(WORK)
              .withCheckpoints(
                  CheckpointConfig.of(directory.resolve("run"))
                      .withEvery(null)
                      .withEverySteps(Math.max(20, WORK / 20)));
      LanguageModel.train(
              Corpus.of(List.of(text(20_000))), kept, measuring(curve).and(report), never())
          .close();
    }
    finish(curve, "training-on-text");
  }

  @Test
  void trainingOnConversations_isFlat() throws IOException {
    List<Conversation> conversations = new ArrayList<>();
    String words = text(5_000);
    Random random = new Random(2);
    for (int i = 0; i < 400; i++) {
      int at = random.nextInt(words.length() - 300);
      int asked = 1 + random.nextInt(20);
      int answered = 1 + random.nextInt(30);
      conversations.add(
          Conversation.of(
              words.substring(at, at + asked), words.substring(at + asked, at + asked + answered)));
    }
    MemoryCurve curve = new MemoryCurve(WORK);
    LanguageModel.fineTune(
            base,
            Conversations.of(conversations).skippingFaults(),
            config().withModel(null).withSteps(WORK),
            measuring(curve),
            never())
        .close();
    finish(curve, "training-on-conversations");
  }

  @Test
  void generation_isFlat() throws IOException {
    MemoryCurve curve = new MemoryCurve(WORK);
    Random random = new Random(3);
    String words = text(2_000);
    for (int i = 1; i <= WORK; i++) {
      int at = 10 * random.nextInt(50);
      String prompt = words.substring(at, at + 10 * random.nextInt(10));
      write(prompt, GenerationConfig.defaults().withMaxNewTokens(8).withSeed(i), i);
      curve.done(i);
    }
    finish(curve, "generation");
  }

  /** A text, or some, in one of the ways that there are. */
  private static void write(String prompt, GenerationConfig config, int i) {
    switch (i % 6) {
      case 0 -> base.generateAll(List.of(prompt, prompt + "a", "b"), config);
      case 1 -> {
        try (TextStream stream = base.stream(prompt, config)) {
          stream.iterator().hasNext(); // and no more of it
        }
      }
      case 2 -> base.generateAsync(prompt, config).cancel(true);
      case 3 -> base.conversation().say("abc", config, piece -> {});
      case 4 -> base.complete(prompt, config.withConstraint(Constraint.regex("[a-z]{3}\\.")));
      default -> base.complete(prompt, config);
    }
  }

  private static TrainingListener measuring(MemoryCurve curve) {
    return new TrainingListener() {
      @Override
      public void stepDone(StepReport report) {
        curve.done(report.step());
      }
    };
  }

  private static Cancellation never() {
    return new Cancellation();
  }

  private static void finish(MemoryCurve curve, String name) throws IOException {
    curve.write(CURVES.resolve(name + ".csv"));
    curve.assertFlat();
  }
}
