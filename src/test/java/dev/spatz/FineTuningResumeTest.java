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

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.spatz.dataset.Corpus;
import dev.spatz.kernel.Tensors;
import dev.spatz.training.Cancellation;
import dev.spatz.training.CheckpointConfig;
import dev.spatz.training.PreferenceConfig;
import dev.spatz.training.ResumeConfig;
import dev.spatz.training.StepReport;
import dev.spatz.training.TrainingConfig;
import dev.spatz.training.TrainingListener;
import dev.spatz.transformer.LoraConfig;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Fine-tuning that is stopped and resumed ends as if it had never stopped. */
class FineTuningResumeTest {
  private static LanguageModel base;

  @TempDir Path directory;
  private Path run;

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

  private static final Training ON_PREFERENCES =
      (config, listener, cancellation) ->
          LanguageModel.fineTune(base, preferences(0), config, listener, cancellation);

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

  @ParameterizedTest
  @ValueSource(longs = {1, 5, 9})
  void onPreferences_endsWithTheSameBytes(long step) throws IOException {
    assertResumesExactly(step, ON_PREFERENCES);
  }

  @Test
  void preferencesGivenAgain_areCompared_andCannotChange() throws IOException {
    double[] whole =
        weights(ON_PREFERENCES.run(config(), TrainingListener.NONE, new Cancellation()));
    trainUntil(5, ON_PREFERENCES);
    ResumeConfig none = ResumeConfig.defaults();
    ResumeConfig other = none.withData(preferences(1), config()).withChangesAllowed();
    assertRefused(other, "the pairs of answers were others");
    ResumeConfig talks = none.withData(conversations(1), config()).withChangesAllowed();
    assertRefused(talks, "the run learns from pairs of answers, which cannot change");
    TrainingConfig beta = config().withPreference(PreferenceConfig.defaults().withBeta(0.2));
    assertRefused(none.withData(preferences(0), beta), "preference was PreferenceConfig[beta=0.1");
    assertRefused(none.withLora(LoraConfig.defaults()), "leave lora out");
    assertArrayEquals(whole, weights(resume(none.withData(preferences(0), config()))));
  }

  /** What pairs are compared with is read, not measured: it may be anything. */
  @Test
  void referenceOfPreferences_isThatOfTheCheckpoint() throws IOException {
    double[] whole =
        weights(ON_PREFERENCES.run(config(), TrainingListener.NONE, new Cancellation()));
    trainUntil(5, ON_PREFERENCES);
    try (Stream<Path> checkpoints = Files.list(run)) {
      for (Path checkpoint :
          checkpoints.filter(each -> each.getFileName().toString().startsWith("ch")).toList()) {
        changeReference(checkpoint);
      }
    }
    assertFalse(Arrays.equals(whole, weights(resume(ResumeConfig.defaults()))));
  }

  /** Lowers the first number by 5, and gives the file the digest that it then has. */
  private static void changeReference(Path checkpoint) throws IOException {
    Path file = checkpoint.resolve("optimizer.safetensors");
    Path sums = checkpoint.resolve("SHA256SUMS");
    String before = digest(file);
    byte[] bytes = Files.readAllBytes(file);
    int header = (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    JsonNode tensors = new ObjectMapper().readTree(bytes, Long.BYTES, header);
    int from = tensors.at("/reference.train/data_offsets/0").asInt();
    ByteBuffer data = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int at = Long.BYTES + header + from;
    data.putDouble(at, data.getDouble(at) - 5);
    Files.write(file, bytes);
    Files.writeString(sums, Files.readString(sums).replace(before, digest(file)));
  }

  private static String digest(Path file) throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(digest.digest(Files.readAllBytes(file)));
    } catch (NoSuchAlgorithmException e) {
      throw new IOException(e);
    }
  }

  private void assertRefused(ResumeConfig config, String fault) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> resume(config)).getMessage();
    assertTrue(message.contains(fault), message);
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
    assertRefused(other, "the data were others");
    ResumeConfig text = ResumeConfig.defaults().withData(Corpus.of(List.of(TEXT)), config());
    assertRefused(text, "the data were others");
    ResumeConfig pairs = ResumeConfig.defaults().withData(preferences(0), config());
    assertRefused(pairs, "the run learns from other data than pairs of answers");
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
