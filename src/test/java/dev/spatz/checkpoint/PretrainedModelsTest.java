package dev.spatz.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.spatz.LanguageModel;
import dev.spatz.SharedData;
import dev.spatz.generation.GenerationConfig;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.Tensors;
import dev.spatz.tokenizer.CharacterTokenizer;
import dev.spatz.transformer.Architecture;
import dev.spatz.transformer.Decoder;
import dev.spatz.transformer.KeyValueCache;
import dev.spatz.transformer.Transformer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Models that others trained give what others computed: the expected ids and logits come from
 * independent float64 computations, see the PROVENANCE.md beside the data.
 */
class PretrainedModelsTest {
  private static final int GREEDY_TOKENS = 200;

  @TempDir Path directory;

  @Test
  void stories260K_decodesGreedily_asLlama2c() throws IOException {
    Path model = SharedData.path("stories260K");
    int[] expected =
        ints(
            new ObjectMapper()
                .readTree(model.resolve("expected-greedy-ids.json").toFile())
                .get("greedy_ids"));
    try (Transformer transformer = ModelDirectory.loadTransformer(model, DataType.FLOAT)) {
      assertEquals(Architecture.LLAMA, transformer.config().architecture());
      assertEquals(4, transformer.config().keyValueHeads());
      int[] ids = greedy(transformer, new int[] {1}, GREEDY_TOKENS + 1);
      assertArrayEquals(expected, ids);
    }
  }

  @Test
  void stories260K_textInTextOut_isTheExpectedText() throws IOException {
    Path model = SharedData.path("stories260K");
    GenerationConfig greedy =
        GenerationConfig.defaults().withTemperature(0).withMaxNewTokens(GREEDY_TOKENS);
    try (LanguageModel loaded = LanguageModel.load(model)) {
      assertEquals(
          Files.readString(model.resolve("expected-greedy.txt")), loaded.generate("", greedy));
    }
  }

  @Test
  void cappGpt2_decodesGreedily_withTheSameLogits() throws IOException {
    Path model = SharedData.path("capp-gpt2");
    JsonNode examples = new ObjectMapper().readTree(model.resolve("expected.json").toFile());
    assertEquals(5, examples.size());
    try (Transformer transformer = ModelDirectory.loadTransformer(model, DataType.FLOAT)) {
      assertEquals(Architecture.GPT2, transformer.config().architecture());
      for (JsonNode example : examples) {
        int[] prompt = ints(example.get("prompt_ids"));
        int[] expected = ints(example.get("greedy_ids"));
        assertArrayEquals(expected, greedy(transformer, prompt, expected.length));
        assertArrayEquals(doubles(example.get("last_logits")), logits(transformer, prompt), 1e-4);
      }
    }
  }

  @Test
  void pretrainedModels_savedAndLoaded_areTheSameBits() throws IOException {
    for (String name : List.of("stories260K", "capp-gpt2")) {
      Path saved = directory.resolve(name);
      try (Transformer transformer =
          ModelDirectory.loadTransformer(SharedData.path(name), DataType.FLOAT)) {
        ModelDirectory.save(saved, transformer, CharacterTokenizer.of('a'), null);
        try (LoadedModel loaded = ModelDirectory.load(saved)) {
          assertEquals(transformer.config(), loaded.transformer().config());
          assertArrayEquals(
              Tensors.toFloats(transformer.parameters().flat()),
              Tensors.toFloats(loaded.transformer().parameters().flat()));
        }
      }
    }
  }

  @Test
  void stories260K_saved_saysWhatBeginsAndEndsATextEverywhere() throws IOException {
    try (LoadedModel loaded = ModelDirectory.load(SharedData.path("stories260K"))) {
      ModelDirectory.save(directory, loaded.transformer(), loaded.tokenizer(), null);
    }
    for (String name : List.of("config.json", "generation_config.json")) {
      JsonNode json = new ObjectMapper().readTree(directory.resolve(name).toFile());
      assertEquals(1, json.get("bos_token_id").intValue(), name);
      assertEquals(2, json.get("eos_token_id").intValue(), name);
    }
    assertTrue(
        Files.readString(directory.resolve("README.md"))
            .contains("| Vocabulary | 512 tokens (BPE with byte fallback) |"));
    try (LoadedModel again = ModelDirectory.load(directory)) {
      assertEquals(
          "BPE with byte fallback, 512 tokens, </s> (2) ends a text", again.tokenizer().toString());
    }
  }

  /** The prompt and the likeliest next tokens, {@code length} in all. */
  private static int[] greedy(Transformer transformer, int[] prompt, int length) {
    int[] ids = Arrays.copyOf(prompt, length);
    try (Kernels kernels = KernelBackend.choose().create();
        Decoder decoder = transformer.decoder();
        KeyValueCache cache = transformer.cache()) {
      INDArray logits = decoder.accept(kernels, cache, prompt);
      for (int i = prompt.length; i < length; i++) {
        ids[i] = indexOfLargest(Tensors.toDoubles(logits));
        if (i + 1 < length) {
          logits = decoder.accept(kernels, cache, ids[i]);
        }
      }
    }
    return ids;
  }

  private static int indexOfLargest(double[] values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      best = values[i] > values[best] ? i : best;
    }
    return best;
  }

  private static double[] logits(Transformer transformer, int[] prompt) {
    try (Kernels kernels = KernelBackend.choose().create();
        Decoder decoder = transformer.decoder();
        KeyValueCache cache = transformer.cache()) {
      return Tensors.toDoubles(decoder.accept(kernels, cache, prompt));
    }
  }

  private static double[] doubles(JsonNode array) {
    double[] values = new double[array.size()];
    Arrays.setAll(values, i -> array.get(i).doubleValue());
    return values;
  }

  private static int[] ints(JsonNode array) {
    int[] values = new int[array.size()];
    Arrays.setAll(values, i -> array.get(i).intValue());
    return values;
  }
}
