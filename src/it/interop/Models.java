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
import dev.spatz.tokenizer.SplitPattern;
import dev.spatz.tokenizer.Tokenizer;
import dev.spatz.training.TokenizerKind;
import dev.spatz.training.TrainingConfig;
import dev.spatz.transformer.Decoder;
import dev.spatz.transformer.KeyValueCache;
import dev.spatz.transformer.RopeScaling;
import dev.spatz.transformer.TransformerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Makes models of each kind, saves and exports them, and writes down the ids of some texts and what
 * each model continues some prompts with, greedily, for other programs to be compared with. Models
 * that an earlier run has made are kept.
 *
 * <p>Most are trained here, in a minute each. The first is then given the splittings of other
 * tokenizers, and directories of pretrained models may be added.
 *
 * <p>Arguments: a text to train on, a directory for the models, the number of steps, and any number
 * of directories of pretrained models.
 */
public final class Models {
  private static final int NEW_TOKENS = 64;
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<String> PROMPTS =
      List.of("ROMEO:\n", "What, is it 3 o'clock?  I'll", "   \n\nFirst Citizen:\nWe're", "the");

  /** For the ids alone. */
  private static final List<String> TEXTS =
      List.of(
          "DON'T won't WE'LL it'S 1234567 3.14159 0x1F",
          "for (int i = 0; i < 10; i++) {\n\t\tsum += a[i]; // total\r\n}\n\n\n",
          "  leading, trailing  ",
          "tabs\t\tand \t mixed \r\n\r\n  lines   \n",
          "na\u00EFve caf\u00E9, Stra\u00DFe, \u0395\u03BB\u03BB\u03AC\u03B4\u03B1",
          "\u6771\u4EAC\u3068\u5317\u4EAC\u3002\uFF11\uFF12\uFF13",
          "\u0645\u0631\u062D\u0628\u0627 \u0E2A\u0E27\u0E31\u0E2A\u0E14\u0E35",
          "\uD83D\uDE00\uD83D\uDC69\u200D\uD83D\uDC69\u200D\uD83D\uDC67 \u00BD \u2167 \u00A0x",
          "<|endoftext|> </s> <s>");

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
    List<Path> directories = new ArrayList<>();
    for (Map.Entry<String, TrainingConfig> kind : kinds().entrySet()) {
      Path directory = out.resolve(kind.getKey());
      TrainingConfig config = kind.getValue().withSteps(steps).withEvaluationInterval(steps);
      if (!isExported(directory)) {
        try (LanguageModel model = LanguageModel.train(corpus, config)) {
          export(model, directory);
        }
      }
      directories.add(directory);
    }
    directories.addAll(resplit(directories.get(0)));
    for (int i = 3; i < arguments.length; i++) {
      Path original = Path.of(arguments[i]);
      Path directory = out.resolve("llama-" + original.getFileName());
      if (!isExported(directory)) {
        export(original, directory);
      }
      directories.add(directory);
    }
    ObjectNode expected = JSON.createObjectNode();
    for (Path directory : directories) {
      expect(directory, expected.putObject(directory.getFileName().toString()));
    }
    JSON.writerWithDefaultPrettyPrinter()
        .writeValue(out.resolve("expected.json").toFile(), expected);
  }

  private static Path gguf(Path directory, GgufType type) {
    return Path.of(directory + "." + type + ".gguf");
  }

  private static boolean isExported(Path directory) {
    return Stream.of(GgufType.values()).allMatch(type -> Files.exists(gguf(directory, type)));
  }

  private static void export(LanguageModel model, Path directory) throws IOException {
    model.save(directory);
    for (GgufType type : GgufType.values()) {
      model.exportGguf(gguf(directory, type), type);
    }
    System.out.println("made " + directory);
  }

  private static void export(Path original, Path directory) throws IOException {
    try (LanguageModel model = LanguageModel.load(original)) {
      export(model, directory);
    }
  }

  /** The same weights and merges with the splittings of Llama 3, Qwen 2 and SmolLM. */
  private static List<Path> resplit(Path directory) throws IOException {
    String digits = "\\p{N}";
    Map<String, String> splits = new LinkedHashMap<>();
    splits.put("llama3", SplitPattern.LLAMA3);
    splits.put("llama3-whole-tokens", SplitPattern.LLAMA3);
    splits.put("qwen2", SplitPattern.QWEN2);
    splits.put("smollm", digits);
    List<Path> made = new ArrayList<>();
    for (Map.Entry<String, String> split : splits.entrySet()) {
      Path target = directory.resolveSibling("llama-split-as-" + split.getKey());
      made.add(target);
      if (isExported(target)) {
        continue;
      }
      Path changed = Files.createTempDirectory("resplit");
      for (String file : List.of("config.json", "generation_config.json", "model.safetensors")) {
        Files.copy(directory.resolve(file), changed.resolve(file));
      }
      ObjectNode json = (ObjectNode) JSON.readTree(directory.resolve("tokenizer.json").toFile());
      ArrayNode parts =
          json.putObject("pre_tokenizer").put("type", "Sequence").putArray("pretokenizers");
      ObjectNode first = parts.addObject().put("type", "Split");
      first.putObject("pattern").put("Regex", split.getValue());
      first.put("behavior", "Isolated").put("invert", false);
      parts
          .addObject()
          .put("type", "ByteLevel")
          .put("add_prefix_space", false)
          .put("use_regex", split.getValue().equals(digits));
      boolean wholeTokens = split.getKey().endsWith("whole-tokens");
      ((ObjectNode) json.get("model")).put("ignore_merges", wholeTokens);
      JSON.writeValue(changed.resolve("tokenizer.json").toFile(), json);
      export(changed, target);
    }
    return made;
  }

  private static void expect(Path directory, ObjectNode json) throws IOException {
    try (LoadedModel model = ModelDirectory.load(directory)) {
      Tokenizer tokenizer = model.tokenizer();
      ArrayNode texts = json.putArray("texts");
      for (String text : Stream.concat(PROMPTS.stream(), TEXTS.stream()).toList()) {
        try {
          int[] ids = tokenizer.encode(text);
          put(texts.addObject().put("text", text).putArray("ids"), ids);
        } catch (IllegalArgumentException e) {
          // A tokenizer of characters lacks some of these.
        }
      }
      continuations(model, json.putArray("continuations"));
    }
  }

  private static void put(ArrayNode array, int... ids) {
    for (int id : ids) {
      array.add(id);
    }
  }

  private static void continuations(LoadedModel model, ArrayNode json) {
    try (Kernels kernels = KernelBackend.choose().create();
        Decoder decoder = model.transformer().decoder()) {
      for (String prompt : PROMPTS) {
        int[] text = model.tokenizer().encode(prompt);
        int[] ids = new int[text.length + 1];
        ids[0] = model.tokenizer().beginOfText().orElse(model.tokenizer().endOfText());
        System.arraycopy(text, 0, ids, 1, text.length);
        ObjectNode item = json.addObject();
        put(item.putArray("prompt"), ids);
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
            float gap = Float.MAX_VALUE;
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
