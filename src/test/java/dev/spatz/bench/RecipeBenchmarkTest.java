package dev.spatz.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.spatz.dataset.Corpus;
import dev.spatz.dataset.Dataset;
import dev.spatz.dataset.DatasetOptions;
import dev.spatz.dataset.TokenizerLearning;
import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.training.TrainingConfig;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecipeBenchmarkTest {
  private static final int VARIANTS = RecipeVariant.values().length;

  @TempDir private Path directory;

  private static List<String> run(Path kept, int seeds) throws IOException {
    Corpus corpus =
        Corpus.of(List.of("der spatz in der hand ist besser als die taube. ".repeat(60)));
    Tokenizer tokenizer = TokenizerLearning.characters(corpus);
    TrainingConfig defaults =
        TrainingConfig.defaults()
            .withModel(
                TransformerConfig.qwen3(tokenizer.vocabularySize(), 16, 1, 2, 16)
                    .withTiedEmbeddings(false))
            .withBatchSize(4)
            .withThreads(1);
    List<String> lines = new ArrayList<>();
    try (Dataset data = Dataset.prepare(corpus, tokenizer, DatasetOptions.defaults())) {
      RecipeBenchmark.run(data, defaults, Duration.ofMillis(20), seeds, kept, lines::add);
    }
    return lines;
  }

  @Test
  void stepsAreTimed_andEveryVariantTrained_onlyOnce() throws IOException {
    Path kept = directory.resolve("recipe.properties");
    assertEquals(VARIANTS, run(kept, 0).size());
    RecipeRecord timed = new RecipeRecord(kept);
    assertEquals(timed.steps(RecipeVariant.DEFAULTS), timed.steps(RecipeVariant.COSINE));
    for (RecipeVariant variant : RecipeVariant.values()) {
      timed.keepSteps(variant, 6); // some variants may have had no time for a step
    }

    List<String> lines = run(kept, 2);
    assertEquals(3 * VARIANTS, lines.size(), lines.toString());
    assertTrue(lines.get(0).startsWith("defaults"), lines.get(0));
    assertTrue(lines.get(2 * VARIANTS + 1).contains("more than the defaults"), lines.toString());
    RecipeRecord record = new RecipeRecord(kept);
    double defaults = record.losses(RecipeVariant.DEFAULTS, null, 2)[1];
    double adamW = record.losses(RecipeVariant.ADAMW, null, 2)[1];
    double[] more = record.losses(RecipeVariant.ADAMW, RecipeVariant.DEFAULTS, 2);
    assertEquals(adamW - defaults, more[1], 1e-12);
    for (RecipeVariant variant : RecipeVariant.values()) {
      boolean same = variant == RecipeVariant.DEFAULTS || variant == RecipeVariant.UNAVERAGED;
      double difference = record.losses(variant, RecipeVariant.DEFAULTS, 2)[0];
      assertTrue(same || difference != 0, variant + " is as the defaults");
    }

    assertEquals(lines.subList(2 * VARIANTS, 3 * VARIANTS), run(kept, 2), "nothing is done again");
  }

  @Test
  void otherFiles_areRefused() throws IOException {
    Path file = Files.writeString(directory.resolve("other"), "steps.defaults=many");
    IOException e = assertThrows(IOException.class, () -> new RecipeRecord(file));
    assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
  }
}
