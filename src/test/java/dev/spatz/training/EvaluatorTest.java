package dev.spatz.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.dataset.Corpus;
import dev.spatz.dataset.Dataset;
import dev.spatz.dataset.DatasetOptions;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.tokenizer.CharacterTokenizer;
import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

class EvaluatorTest {
  private static final String TEXT = "füße und spatzen ".repeat(9);
  private final Tokenizer tokenizer = CharacterTokenizer.learn(List.of(TEXT));

  private Dataset whole(String text) throws IOException {
    return Dataset.prepare(
        Corpus.of(List.of(text)::iterator),
        tokenizer,
        DatasetOptions.defaults().withValidationFraction(1));
  }

  private Transformer model(DataType type) {
    TransformerConfig shape = TransformerConfig.gpt2(tokenizer.vocabularySize(), 8, 1, 2, 8);
    return Transformer.initialized(shape, type, 3);
  }

  @Test
  void evaluate_predictsEveryTokenButTheFirst() throws IOException {
    try (Dataset data = whole(TEXT);
        Transformer model = model(DataType.FLOAT)) {
      Evaluation evaluation = Evaluator.evaluate(model, data.validation(), 1, KernelBackend.ND4J);
      assertEquals(TEXT.length() - 1, evaluation.tokens());
      // every repetition has three characters of two bytes; the first character has one
      assertEquals(TEXT.length() + 2 * 9 - 1, evaluation.textBytes());
      assertEquals(Math.log(tokenizer.vocabularySize()), evaluation.natsPerToken(), 0.05);
    }
  }

  @Test
  void evaluate_isTheSameOnAnyNumberOfThreads() throws IOException {
    try (Dataset data = whole(TEXT);
        Transformer model = model(DataType.FLOAT)) {
      Evaluation one = Evaluator.evaluate(model, data.validation(), 1, KernelBackend.ND4J);
      assertEquals(one, Evaluator.evaluate(model, data.validation(), 2, KernelBackend.ND4J));
      assertEquals(one, Evaluator.evaluate(model, data.validation(), 3, KernelBackend.ND4J));
    }
  }

  @Test
  void evaluate_refusesASingleToken() throws IOException {
    try (Dataset data = whole("f");
        Transformer model = model(DataType.FLOAT)) {
      assertThrows(
          IllegalArgumentException.class,
          () -> Evaluator.evaluate(model, data.validation(), 1, KernelBackend.ND4J));
    }
  }

  /** Student's t for 2 degrees of freedom is 4.302653 at 97.5 %; means 1, 2, 3 deviate by 1. */
  @Test
  void evaluation_hasAConfidenceInterval() {
    Evaluation evaluation = Evaluation.of(new double[] {10, 20, 30}, new int[] {10, 10, 10}, 60);
    assertEquals(2, evaluation.natsPerToken(), 1e-12);
    assertEquals(4.302653 / Math.sqrt(3), evaluation.margin(), 1e-5);
    assertEquals(60 / Math.log(2) / 60, evaluation.bitsPerByte(), 1e-12);
    assertEquals(Math.exp(2), evaluation.perplexity(), 1e-9);
  }

  @Test
  void evaluation_ofASingleWindowHasNoInterval() {
    Evaluation evaluation = Evaluation.of(new double[] {10}, new int[] {10}, 60);
    assertTrue(Double.isInfinite(evaluation.margin()));
    assertTrue(evaluation.toString().startsWith("1.0000 nats/token, 0.2404 bits/byte"));
  }
}
