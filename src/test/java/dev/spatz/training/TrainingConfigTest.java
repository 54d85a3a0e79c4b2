package dev.spatz.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.transformer.TransformerConfig;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class TrainingConfigTest {
  private final TrainingConfig config = TrainingConfig.defaults();

  private static void assertRefused(String start, Executable executable) {
    String message = assertThrows(IllegalArgumentException.class, executable).getMessage();
    assertTrue(message.startsWith(start), message);
  }

  @Test
  void with_changesOneSetting() {
    TrainingConfig changed = config.withSteps(7);
    assertEquals(7, changed.steps());
    assertEquals(config, changed.withSteps(TrainingConfig.AUTO));
  }

  @Test
  void vocabularySize_needsRoomForAllBytes() {
    assertRefused("vocabularySize (256)", () -> config.withVocabularySize(256));
  }

  @Test
  void vocabularySize_isNotForCharacters() {
    TrainingConfig characters = config.withTokenizer(TokenizerKind.CHARACTER);
    assertRefused("vocabularySize (300) is for", () -> characters.withVocabularySize(300));
  }

  @Test
  void vocabularySize_isTheModels() {
    TrainingConfig given = config.withModel(TransformerConfig.llama(300, 32, 2, 2, 16));
    assertEquals(300, given.withVocabularySize(300).vocabularySize());
    assertRefused("vocabularySize (301) must be the model's", () -> given.withVocabularySize(301));
  }

  @Test
  void dropout_ofAGivenModelIsItsOwn() {
    TrainingConfig given = config.withModel(TransformerConfig.llama(300, 32, 2, 2, 16));
    assertRefused("dropout (0.1) is for", () -> given.withDropout(0.1));
  }

  @Test
  void dropout_isAProbabilityBelowOne() {
    assertRefused("dropout (1.0)", () -> config.withDropout(1));
  }

  @Test
  void counts_mustNotBeNegative() {
    assertRefused("batchSize (-1)", () -> config.withBatchSize(-1));
    assertRefused("accumulation (0)", () -> config.withAccumulation(0));
    assertRefused("shards (-1)", () -> config.withShards(-1));
    assertRefused("steps (-1)", () -> config.withSteps(-1));
    assertRefused("tokenLimit (-1)", () -> config.withTokenLimit(-1));
    assertRefused("evaluationInterval (-1)", () -> config.withEvaluationInterval(-1));
    assertRefused("evaluationTokens (-1)", () -> config.withEvaluationTokens(-1));
    assertRefused("patience (-1)", () -> config.withPatience(-1));
    assertRefused("threads (-1)", () -> config.withThreads(-1));
  }

  @Test
  void durations_mustBePositive() {
    assertRefused("timeBudget (PT0S)", () -> config.withTimeBudget(Duration.ZERO));
    assertRefused("timeLimit (PT-1S)", () -> config.withTimeLimit(Duration.ofSeconds(-1)));
  }

  @Test
  void learningRate_mustBeFinite() {
    assertRefused("learningRate", () -> config.withLearningRate(Double.NaN));
    assertRefused("learningRate", () -> config.withLearningRate(-1));
  }

  @Test
  void minLearningRate_mustNotExceedTheLearningRate() {
    assertRefused(
        "minLearningRate (0.1)", () -> config.withLearningRate(0.01).withMinLearningRate(0.1));
  }

  @Test
  void minLearningRate_isANumber() {
    assertRefused("minLearningRate (NaN)", () -> config.withMinLearningRate(Double.NaN));
  }

  @Test
  void gradientClip_mustNotBeNegative() {
    assertRefused("gradientClip (-1.0)", () -> config.withGradientClip(-1));
  }

  @Test
  void validationFraction_isAProperPart() {
    assertRefused("validationFraction (0.0)", () -> config.withValidationFraction(0));
    assertRefused("validationFraction (1.0)", () -> config.withValidationFraction(1));
  }

  @Test
  void shards_mustNotExceedTheBatch() {
    assertRefused("shards (5)", () -> config.withBatchSize(4).withShards(5));
  }
}
