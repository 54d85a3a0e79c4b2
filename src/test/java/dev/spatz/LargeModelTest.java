package dev.spatz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.checkpoint.TextConventions;
import dev.spatz.dataset.Corpus;
import dev.spatz.generation.Generation;
import dev.spatz.generation.GenerationConfig;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.tokenizer.CharacterTokenizer;
import dev.spatz.transformer.Transformer;
import dev.spatz.transformer.TransformerConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A model of more than 2³¹ bytes, written, read, evaluated and let write. It takes 6 GB of memory
 * and 3 GB of disk, so it is asked for:
 *
 * <pre>{@code
 * mvn test -Dtest=LargeModelTest -Dspatz.large=true
 * }</pre>
 */
@EnabledIfSystemProperty(named = "spatz.large", matches = "true")
class LargeModelTest {
  private static final String TEXT = "abcdefghij".repeat(7);
  private static final GenerationConfig SEEDED =
      GenerationConfig.defaults().withSeed(1).withMaxNewTokens(8).withStopAtEndOfText(false);

  /** What a model does. */
  private record Behaviour(String text, double nats) {
    static Behaviour of(LanguageModel model) throws Exception {
      Generation generation = model.complete("abc", SEEDED);
      return new Behaviour(
          generation.text(), model.evaluate(Corpus.of(List.of(TEXT))).natsPerToken());
    }
  }

  @Test
  void modelBeyond2To31Bytes_isSavedAndLoadedAsItIs(@TempDir Path directory) throws Exception {
    CharacterTokenizer tokenizer = CharacterTokenizer.learn(List.of(TEXT));
    TransformerConfig shape = TransformerConfig.llama(tokenizer.vocabularySize(), 64, 8, 16, 2560);
    Path saved = directory.resolve("large");
    Behaviour before;
    long start = System.nanoTime();
    Transformer transformer = Transformer.initialized(shape, DataType.FLOAT, 1);
    try (LanguageModel model =
        new LanguageModel(
            transformer, tokenizer, null, TextConventions.of(tokenizer), KernelBackend.choose())) {
      assertTrue(model.memory().weights() > 1L << 31, model.memory().toString());
      say("initialized", start);
      before = Behaviour.of(model);
      say("evaluated and written with", start);
      model.save(saved);
      say("saved", start);
    }
    assertTrue(Files.size(saved.resolve("model.safetensors")) > 1L << 31);
    try (LanguageModel model = LanguageModel.load(saved)) {
      say("loaded", start);
      assertEquals(before, Behaviour.of(model));
      say("evaluated and written with again", start);
    }
  }

  private static void say(String what, long start) {
    System.out.printf("%s after %.1f s%n", what, (System.nanoTime() - start) / 1e9);
  }
}
