package dev.spatz;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.dataset.Conversation;
import dev.spatz.dataset.Conversations;
import dev.spatz.dataset.Corpus;
import dev.spatz.kernel.Tensors;
import dev.spatz.training.Cancellation;
import dev.spatz.training.CheckpointConfig;
import dev.spatz.training.ResumeConfig;
import dev.spatz.training.StepReport;
import dev.spatz.training.TrainingConfig;
import dev.spatz.training.TrainingListener;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Fine-tuning that is stopped and resumed ends as if it had never stopped. */
class FineTuningResumeTest {
  private static final String TEXT = "der spatz in der hand ist besser als die taube. ".repeat(40);
  private static LanguageModel base;

  @TempDir Path directory;
  private Path run;

  private static TrainingConfig config() {
    return TrainingConfig.defaults()
        .withDropout(0.1)
        .withBatchSize(3)
        .withAccumulation(2)
        .withShards(2)
        .withSteps(9)
        .withAveragedSteps(3)
        .withEvaluationInterval(4)
        .withThreads(2);
  }

  private TrainingConfig kept() {
    return config().withCheckpoints(CheckpointConfig.of(run).withEvery(null).withEverySteps(2));
  }

  @BeforeAll
  static void train() throws IOException {
    TrainingConfig config =
        config().withDropout(0).withModel(TransformerConfig.llama(300, 64, 1, 2, 32));
    base = LanguageModel.train(Corpus.of(List.of(TEXT)), config);
  }

  @AfterAll
  static void close() {
    base.close();
  }

  @BeforeEach
  void nameRun() {
    run = directory.resolve("run");
  }

  private static Conversations conversations(int first) {
    List<Conversation> all = new ArrayList<>();
    for (int i = first; i < first + 30; i++) {
      all.add(Conversation.of("was ist " + i + "?", "spatz ".repeat(1 + i % 4)));
    }
    return Conversations.of(all);
  }

  /** How a run is trained. */
  private interface Training {
    LanguageModel run(TrainingConfig config, TrainingListener listener, Cancellation cancellation)
        throws IOException;
  }

  private static final Training ON_CONVERSATIONS =
      (config, listener, cancellation) ->
          LanguageModel.fineTune(base, conversations(0), config, listener, cancellation);

  private static final Training ON_TEXT =
      (config, listener, cancellation) ->
          LanguageModel.fineTune(
              base, Corpus.of(List.of(TEXT.replace('e', 'a'))), config, listener, cancellation);

  private static double[] weights(LanguageModel model) {
    try (model) {
      return Tensors.toDoubles(model.transformer.parameters().flat());
    }
  }

  /** Trains until after a step; what was done after the last checkpoint is done again. */
  private void trainUntil(long step, Training training) {
    TrainingListener failing =
        new TrainingListener() {
          @Override
          public void stepDone(StepReport report) {
            if (report.step() == step) {
              throw new IllegalArgumentException("killed");
            }
          }
        };
    assertThrows(
        IllegalArgumentException.class, () -> training.run(kept(), failing, new Cancellation()));
  }

  private void assertResumesExactly(long step, Training training) throws IOException {
    double[] whole = weights(training.run(config(), TrainingListener.NONE, new Cancellation()));
    trainUntil(step, training);
    ResumeConfig alone = ResumeConfig.defaults().withThreads(1);
    double[] resumed =
        weights(LanguageModel.resume(run, alone, TrainingListener.NONE, new Cancellation()));
    assertArrayEquals(whole, resumed);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 5, 9})
  void onConversations_endsWithTheSameBytes(long step) throws IOException {
    assertResumesExactly(step, ON_CONVERSATIONS);
  }

  @Test
  void onText_endsWithTheSameBytes() throws IOException {
    assertResumesExactly(5, ON_TEXT);
  }

  @Test
  void resumedModel_hasOriginAndTemplate() throws IOException {
    trainUntil(5, ON_CONVERSATIONS);
    try (LanguageModel model = LanguageModel.resume(run)) {
      assertTrue(
          model.provenance().orElseThrow().configuration().containsKey("base weights SHA-256"));
      assertEquals(base.chatTemplate().source(), model.chatTemplate().source());
    }
  }

  private LanguageModel resume(ResumeConfig config) throws IOException {
    return LanguageModel.resume(run, config, TrainingListener.NONE, new Cancellation());
  }

  @Test
  void conversationsGivenAgain_areCompared() throws IOException {
    double[] whole =
        weights(ON_CONVERSATIONS.run(config(), TrainingListener.NONE, new Cancellation()));
    trainUntil(5, ON_CONVERSATIONS);
    ResumeConfig other = ResumeConfig.defaults().withData(conversations(1), config());
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> resume(other));
    assertTrue(e.getMessage().contains("the data were others"), e.getMessage());
    ResumeConfig text = ResumeConfig.defaults().withData(Corpus.of(List.of(TEXT)), config());
    e = assertThrows(IllegalArgumentException.class, () -> resume(text));
    assertTrue(e.getMessage().contains("the data were others"), e.getMessage());
    ResumeConfig same = ResumeConfig.defaults().withData(conversations(0), config());
    assertArrayEquals(whole, weights(resume(same)));
  }

  @Test
  void otherConversations_areTakenWhereChangesAreAllowed() throws IOException {
    trainUntil(5, ON_CONVERSATIONS);
    ResumeConfig other =
        ResumeConfig.defaults().withData(conversations(1), config()).withChangesAllowed();
    resume(other).close();
    Files.writeString(run.resolve("dataset.examples"), "broken");
    IOException e = assertThrows(IOException.class, () -> LanguageModel.resume(run));
    assertTrue(e.getMessage().contains("dataset.examples"), e.getMessage());
  }

  @Test
  void textInsteadOfConversations_isTakenWhereChangesAreAllowed() throws IOException {
    trainUntil(5, ON_CONVERSATIONS);
    ResumeConfig text =
        ResumeConfig.defaults().withData(Corpus.of(List.of(TEXT)), config()).withChangesAllowed();
    resume(text).close();
    assertTrue(Files.exists(run.resolve("dataset.tokens")));
    assertTrue(Files.notExists(run.resolve("dataset.examples")));
    resume(ResumeConfig.defaults()).close();
  }
}
