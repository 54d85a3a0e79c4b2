package dev.spatz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.dataset.Corpus;
import dev.spatz.generation.EngineConfig;
import dev.spatz.generation.GenerationConfig;
import dev.spatz.generation.LoadOptions;
import dev.spatz.generation.LogitsProcessor;
import dev.spatz.generation.ModelMemory;
import dev.spatz.kernel.InsufficientMemoryException;
import dev.spatz.training.TrainingConfig;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What memory a model takes, and what is said where there is too little. */
class MemoryTest {
  private static final String PROPERTY = "org.bytedeco.javacpp.maxPhysicalBytes";
  private static final long SMALL_THINGS = 1 << 16;
  private static final String WORDS = "der spatz in der hand ist besser als die taube. ";

  /** A heap for which JavaCPP's limit is 256 MiB. */
  private static final String SMALL = "64m";

  @TempDir static Path saved;
  @TempDir Path directory;

  private static TrainingConfig config() {
    return TrainingConfig.defaults()
        .withModel(TransformerConfig.llama(300, 256, 2, 2, 64))
        .withBatchSize(2)
        .withThreads(1)
        .withSteps(2);
  }

  private static Corpus corpus() {
    return Corpus.of(List.of(WORDS.repeat(100)));
  }

  @BeforeAll
  static void train() throws IOException {
    try (LanguageModel model = LanguageModel.train(corpus(), config())) {
      model.save(saved.resolve("model"));
    }
  }

  private static LoadOptions options() {
    return LoadOptions.defaults().withThreads(3);
  }

  @Test
  void memory_isAllThatIsAllocated_andCloseReturnsIt() throws Exception {
    assertEquals(List.of("done"), child("256m", "account", saved.resolve("model").toString()));
  }

  /** In a JVM of its own; writes texts of all kinds, and compares with the counts of others. */
  private static void account(Path directory) throws IOException {
    LanguageModel.load(directory).close(); // what is made once for a process
    long before = FreshJvm.offHeap();
    LanguageModel model = LanguageModel.load(directory, options());
    ModelMemory loaded = model.memory();
    assertEquals(FreshJvm.offHeap() - before, loaded.total(), SMALL_THINGS);
    assertEquals(loaded.weights(), loaded.total());

    GenerationConfig config = GenerationConfig.defaults().withSeed(1).withStopAtEndOfText(false);
    List<ModelMemory> writing = new ArrayList<>();
    LogitsProcessor looking = (tokens, logits) -> writing.add(model.memory());
    model.complete(WORDS.repeat(10), config.withMaxNewTokens(30).withLogitsProcessor(looking));
    assertTrue(writing.get(5).keyValueCaches() > 0, writing.toString());
    model.generateAll(Collections.nCopies(5, WORDS.repeat(9)), config.withMaxNewTokens(9));
    while (model.memory().keyValueCaches() > 0) {
      Thread.onSpinWait(); // the engine's thread frees them at its next step
    }
    ModelMemory used = model.memory();
    assertEquals(FreshJvm.offHeap() - before, used.total(), SMALL_THINGS);
    assertTrue(used.packedWeights() > 0 && used.workspaces() > 0, used.toString());
    assertEquals(used.prefixCache(), model.engineStatistics().prefixCacheBytes());
    assertTrue(used.prefixCache() > 0, used.toString());
    assertEquals(0, used.keyValueCaches());

    model.evaluate(corpus());
    assertEquals(FreshJvm.offHeap() - before, model.memory().total(), SMALL_THINGS);
    model.close();
    assertEquals(before, FreshJvm.offHeap(), SMALL_THINGS);
    model.close();
    assertThrows(IllegalStateException.class, model::memory);
  }

  @Test
  void memory_isPrintedForPeople() {
    assertEquals(
        "3.5 MiB: weights 1.0 MiB, packed weights 2.0 MiB, key/value caches 0 bytes, prefix cache"
            + " 512.0 KiB, workspaces 1.0 KiB",
        new ModelMemory(1 << 20, 1 << 21, 0, 1 << 19, 1 << 10).toString());
  }

  @Test
  void textThatNeedsMoreThanThereIs_isRefused() throws IOException {
    // Of so few bytes a token that the request is refused by its size in tokens alone.
    EngineConfig engine = EngineConfig.defaults().withCacheBytes(1000);
    try (LanguageModel model =
        LanguageModel.load(saved.resolve("model"), options().withEngine(engine))) {
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> model.generate(WORDS));
      assertTrue(e.getMessage().contains("cacheBytes (1,000)"), e.getMessage());
    }
  }

  private static List<String> child(String heap, String... arguments)
      throws IOException, InterruptedException {
    return FreshJvm.run(heap, Child.class, arguments);
  }

  @Test
  void modelBeyondTheLimitOfASmallHeap_isRefusedBeforeItIsRead() throws Exception {
    Path large = directory.resolve("large");
    saveSparse(large, TransformerConfig.llama(300, 256, 8, 8, 1024));
    List<String> said = child(SMALL, "load", large.toString());
    assertRefused(said, "the weights of", "take a smaller model");
  }

  @Test
  void trainingBeyondTheLimitOfASmallHeap_isRefusedBeforeItIsAllocated() throws Exception {
    assertRefused(child(SMALL, "train", "100"), "training (", "lower batchSize (100)");
    assertEquals(List.of("done"), child(SMALL, "train", "2"), "what fits is trained");
  }

  private static void assertRefused(List<String> said, String... parts) {
    String message = String.join("\n", said);
    assertTrue(message.startsWith("refused: not enough memory off the heap"), message);
    assertTrue(message.contains("-D" + PROPERTY + "="), message);
    assertTrue(message.contains("256.0 MiB"), message);
    for (String part : parts) {
      assertTrue(message.contains(part), message);
    }
  }

  /** A model's directory whose weights are a hole in a file. */
  private static void saveSparse(Path model, TransformerConfig shape) throws IOException {
    Path small = saved.resolve("model");
    Files.createDirectories(model);
    for (String file : List.of("tokenizer.json", "tokenizer_config.json")) {
      Files.copy(small.resolve(file), model.resolve(file));
    }
    Files.writeString(
        model.resolve("config.json"),
        """
        {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": %d,
         "hidden_size": %d, "intermediate_size": %d, "num_hidden_layers": %d,
         "num_attention_heads": %d, "max_position_embeddings": %d, "tie_word_embeddings": true,
         "hidden_act": "silu", "rms_norm_eps": 1e-5, "rope_theta": 10000.0}
        """
            .formatted(
                shape.vocabularySize(),
                shape.channels(),
                shape.feedForward(),
                shape.layers(),
                shape.heads(),
                shape.contextLength()));
    StringBuilder header = new StringBuilder("{");
    long c = shape.channels();
    long f = shape.feedForward();
    long at = add(header, "model.embed_tokens.weight", 0, shape.vocabularySize(), c);
    for (int i = 0; i < shape.layers(); i++) {
      String layer = "model.layers." + i + ".";
      at = add(header, layer + "input_layernorm.weight", at, c);
      for (String name : List.of("q", "k", "v", "o")) {
        at = add(header, layer + "self_attn." + name + "_proj.weight", at, c, c);
      }
      at = add(header, layer + "post_attention_layernorm.weight", at, c);
      at = add(header, layer + "mlp.gate_proj.weight", at, f, c);
      at = add(header, layer + "mlp.up_proj.weight", at, f, c);
      at = add(header, layer + "mlp.down_proj.weight", at, c, f);
    }
    at = add(header, "model.norm.weight", at, c);
    byte[] json = (header + "}").replace(",}", "}").getBytes(StandardCharsets.UTF_8);
    try (RandomAccessFile file =
        new RandomAccessFile(model.resolve("model.safetensors").toFile(), "rw")) {
      file.writeLong(Long.reverseBytes(json.length));
      file.write(json);
      file.setLength(Long.BYTES + json.length + at);
    }
  }

  private static long add(StringBuilder header, String name, long from, long... shape) {
    long end = from + Float.BYTES;
    List<String> sizes = new ArrayList<>();
    long elements = 1;
    for (long size : shape) {
      elements *= size;
      sizes.add(Long.toString(size));
    }
    end = from + Float.BYTES * elements;
    header.append(
        "\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%d,%d]},"
            .formatted(name, String.join(",", sizes), from, end));
    return end;
  }

  /** What runs in a JVM of its own. */
  static final class Child {
    private Child() {}

    /** Uses or loads a model, or trains one with a batch of so many sequences. */
    public static void main(String[] arguments) throws IOException {
      try {
        switch (arguments[0]) {
          case "account" -> account(Path.of(arguments[1]));
          case "load" -> LanguageModel.load(Path.of(arguments[1])).close();
          default -> {
            int batch = Integer.parseInt(arguments[1]);
            LanguageModel.train(corpus(), config().withBatchSize(batch).withShards(1)).close();
          }
        }
        System.out.println("done");
      } catch (InsufficientMemoryException e) {
        System.out.println("refused: " + e.getMessage());
      }
    }
  }
}
