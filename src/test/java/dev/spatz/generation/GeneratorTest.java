package dev.spatz.generation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.Tensors;
import dev.spatz.tokenizer.CharacterTokenizer;
import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.transformer.Decoder;
import dev.spatz.transformer.KeyValueCache;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.TransformerConfig;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

class GeneratorTest {
  private static final int PADDED_VOCABULARY = 40;
  private final Tokenizer tokenizer = CharacterTokenizer.of('a', 'b', 'ß', 0x1F426);
  private final Transformer transformer =
      Transformer.initialized(
          TransformerConfig.llama(PADDED_VOCABULARY, 24, 1, 2, 8), DataType.FLOAT, 5);
  private final Kernels kernels = KernelBackend.ND4J.create();
  private final GenerationConfig endless =
      GenerationConfig.defaults()
          .withSeed(3)
          .withTemperature(2)
          .withTopP(1)
          .withMaxNewTokens(100)
          .withStopAtEndOfText(false);

  @AfterEach
  void close() {
    kernels.close();
    transformer.close();
  }

  private Generation generate(GenerationConfig config, int... prompt) {
    return Generator.generate(kernels, transformer, tokenizer, prompt, config);
  }

  /** Nearly all of the padded vocabulary's probability lies on ids without a meaning. */
  @Test
  void generate_neverDrawsPadding() {
    Generation generation = generate(endless, 0);
    assertTrue(generation.text().codePoints().allMatch(c -> "abß\uD83D\uDC26".indexOf(c) >= 0));
    assertEquals(FinishReason.CONTEXT_FULL, generation.finishReason());
    assertEquals(24, generation.newTokens());
  }

  @Test
  void generate_stopsAtTheMostTokens() {
    Generation generation = generate(endless.withMaxNewTokens(5), 0, 1);
    assertEquals(5, generation.newTokens());
    assertEquals(2, generation.promptTokens());
    assertEquals(FinishReason.MAX_NEW_TOKENS, generation.finishReason());
  }

  @Test
  void generate_stopsAtTheEndOfText() {
    Generation open = generate(endless, 0);
    Generation stopping = generate(endless.withStopAtEndOfText(true), 0);
    assertEquals(FinishReason.END_OF_TEXT, stopping.finishReason());
    assertTrue(open.text().startsWith(stopping.text()));
    assertTrue(stopping.newTokens() < open.newTokens());
  }

  /** Greedy generation is the argmax of the whole model's logits, step by step. */
  @Test
  void generate_greedyIsTheArgmaxAtEachStep() {
    Generation generation = generate(GenerationConfig.greedy().withMaxNewTokens(6), 0, 2);
    int[] expected = new int[6];
    try (Decoder decoder = transformer.decoder();
        KeyValueCache cache = transformer.cache()) {
      var logits = decoder.accept(kernels, cache, 0, 2);
      for (int i = 0; i < expected.length; i++) {
        float[] known = new float[tokenizer.vocabularySize()];
        Tensors.read(logits, 0, known, 0, known.length);
        expected[i] = Sampler.argmax(known);
        logits = decoder.accept(kernels, cache, expected[i]);
      }
    }
    assertTrue(tokenizer.decode(expected).startsWith(generation.text()));
  }

  @Test
  void generate_refusesAPromptWithoutRoom() {
    String message =
        assertThrows(IllegalArgumentException.class, () -> generate(endless, new int[24]))
            .getMessage();
    assertEquals(
        "the prompt of 24 tokens leaves no room in the context of 24; shorten it", message);
  }

  @Test
  void generate_refusesAnEmptyPrompt() {
    assertThrows(IllegalArgumentException.class, () -> generate(endless));
  }
}
