import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.spatz.LanguageModel;
import dev.spatz.checkpoint.GgufType;
import dev.spatz.checkpoint.LoadedModel;
import dev.spatz.checkpoint.ModelDirectory;
import dev.spatz.kernel.KernelBackend;
import dev.spatz.kernel.Kernels;
import dev.spatz.kernel.Tensors;
import dev.spatz.training.TokenizerKind;
import dev.spatz.training.TrainingConfig;
import dev.spatz.transformer.Decoder;
import dev.spatz.transformer.KeyValueCache;
import dev.spatz.transformer.RopeScaling;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Trains a small model of each kind, saves and exports it, and writes down what it continues some
 * prompts with, greedily, for other programs to be compared with. Models that an earlier run has
 * made are kept.
 *
 * <p>Arguments: a text to train on, a directory for the models, and the number of steps.
 */
public final class Models {
  private static final int NEW_TOKENS = 64;
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<String> PROMPTS =
      List.of("ROMEO:\n", "What, is it 3 o'clock?  I'll", "   \n\nFirst Citizen:\nWe're", "the");

  private Models() {}

  private static Map<String, TrainingConfig> kinds() {
    TransformerConfig llama = TransformerConfig.llama(512, 256, 3, 4, 128);
    TransformerConfig gpt2 = TransformerConfig.gpt2(512, 256, 3, 4, 128);
    Map<String, TransformerConfig> shapes = new LinkedHashMap<>();
    shapes.put("llama", llama.withKeyValueHeads(2));
    shapes.put("llama-untied", llama.withTiedEmbeddings(false));
    shapes.put("llama-biases-head64", llama.withHeadSize(64).withBiases(true));
    shapes.put("llama-linear-rope", llama.withRopeScaling(new RopeScaling.Linear(4)));
    shapes.put("llama3-rope", llama.withRopeScaling(new RopeScaling.Llama3(8, 1, 4, 64)));
    shapes.put("llama-characters", llama);
    shapes.put("qwen2", TransformerConfig.qwen2(512, 256, 3, 4, 128).withKeyValueHeads(2));
    shapes.put(
        "qwen3",
        TransformerConfig.qwen3(512, 256, 3, 4, 128).withHeadSize(64).withKeyValueHeads(2));
    shapes.put("gpt2", gpt2);
    shapes.put("gpt2-untied-unbiased", gpt2.withBiases(false).withTiedEmbeddings(false));
    shapes.put("gpt2-characters", gpt2);
    Map<String, TrainingConfig> kinds = new LinkedHashMap<>();
    shapes.forEach(
        (name, shape) -> {
          boolean characters = name.endsWith("-characters");
          kinds.put(
              name,
              TrainingConfig.defaults()
                  .withTokenizer(characters ? TokenizerKind.CHARACTER : TokenizerKind.BYTE_PAIR)
                  .withModel(shape));
        });
    return kinds;
  }

  /** Trains, saves, exports and continues. */
  public static void main(String[] arguments) throws IOException {
    Path corpus = Path.of(arguments[0]);
    Path out = Files.createDirectories(Path.of(arguments[1]));
    long steps = Long.parseLong(arguments[2]);
    ObjectNode expected = JSON.createObjectNode();
    for (Map.Entry<String, TrainingConfig> kind : kinds().entrySet()) {
      Path directory = out.resolve(kind.getKey());
      TrainingConfig config = kind.getValue().withSteps(steps).withEvaluationInterval(steps);
      Path last = out.resolve(kind.getKey() + ".Q8_0.gguf");
      if (!Files.exists(last)) { // otherwise an earlier run has made it
        train(corpus, config, directory);
      }
      continuations(directory, expected.putArray(kind.getKey()));
    }
    JSON.writerWithDefaultPrettyPrinter()
        .writeValue(out.resolve("expected.json").toFile(), expected);
  }

  private static void train(Path corpus, TrainingConfig config, Path directory) throws IOException {
    try (LanguageModel model = LanguageModel.train(corpus, config)) {
      model.save(directory);
      for (GgufType type : GgufType.values()) {
        model.exportGguf(Path.of(directory + "." + type + ".gguf"), type);
      }
      System.out.println(directory + ": " + model.provenance().orElseThrow().validationLoss());
    }
  }

  private static void continuations(Path directory, ArrayNode json) throws IOException {
    try (LoadedModel model = ModelDirectory.load(directory);
        Kernels kernels = KernelBackend.choose().create();
        Decoder decoder = model.transformer().decoder()) {
      for (String prompt : PROMPTS) {
        int[] ids = model.tokenizer().encode(prompt);
        ObjectNode item = json.addObject().put("prompt", prompt);
        ArrayNode promptIds = item.putArray("promptIds");
        for (int id : ids) {
          promptIds.add(id);
        }
        ArrayNode tokens = item.putArray("tokens");
        ArrayNode gaps = item.putArray("gaps");
        try (KeyValueCache cache = model.transformer().cache()) {
          for (int i = 0; i < NEW_TOKENS; i++) {
            float[] logits =
                Tensors.toFloats(Tensors.rows(decoder.accept(kernels, cache, ids), 0, 1));
            int best = 0;
            for (int id = 1; id < logits.length; id++) {
              best = logits[id] > logits[best] ? id : best;
            }
            float gap = Float.POSITIVE_INFINITY;
            for (int id = 0; id < logits.length; id++) {
              gap = id == best ? gap : Math.min(gap, logits[best] - logits[id]);
            }
            tokens.add(best);
            gaps.add(gap);
            ids = new int[] {best};
          }
        }
      }
    }
  }
}
