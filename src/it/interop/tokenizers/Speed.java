import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.Encoding;
import com.knuddels.jtokkit.api.EncodingType;
import dev.spatz.checkpoint.SavedTokenizer;
import dev.spatz.tokenizer.SpecialToken;
import dev.spatz.tokenizer.SplitPattern;
import dev.spatz.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/**
 * How fast texts are encoded by one thread here, by jtokkit, and by Hugging Face's tokenizers
 * (their native functions are called directly: text in, ids out), with GPT-2's vocabulary and
 * cl100k. All are given the same strings, and must give the same ids.
 *
 * <p>Each round makes new tokenizers, so that none remembers words of the round before (Spatz and
 * Hugging Face's remember some; jtokkit none), and measures each in turn: the text once, then 19
 * times more, then 20 times again. Medians of the rounds (of three for Hugging Face's, which need
 * no warming up) are printed, in megabytes (10⁶ bytes of UTF-8) a second.
 *
 * <p>Arguments: a directory for files, the number of rounds, and the texts.
 */
public final class Speed {
  private static final int TIMES = 20;
  private static final int WARM_UP = 40;
  private static final String HUGGING_FACE = "Hugging Face";
  private static final int MEGABYTE = 1_000_000;

  /** One of those that are compared. */
  private interface Encoder {
    int[] encode(String text);

    default void close() {}
  }

  private interface Factory {
    Encoder create() throws IOException;
  }

  private Speed() {}

  /** Measures. */
  public static void main(String[] arguments) throws IOException {
    Locale.setDefault(Locale.ROOT);
    Path work = Files.createDirectories(Path.of(arguments[0]));
    int rounds = Integer.parseInt(arguments[1]);
    System.out.println("vocabulary | text | library | once | 20 × | 20 × again | (MB/s)");
    for (String vocabulary : List.of("r50k_base", "cl100k_base")) {
      Map<String, Factory> factories = factories(vocabulary, work);
      for (String file : Arrays.asList(arguments).subList(2, arguments.length)) {
        compare(vocabulary, Path.of(file), factories, rounds);
      }
      longWords(vocabulary, factories.get("Spatz"));
    }
    batches(ours("cl100k_base", work), Path.of(arguments[2]));
  }

  private static Map<String, Factory> factories(String vocabulary, Path work) throws IOException {
    Path saved = work.resolve(vocabulary);
    SavedTokenizer.save(ours(vocabulary, work), saved);
    EncodingType type = EncodingType.fromName(vocabulary).orElseThrow();
    Map<String, Factory> factories =
        Map.of(
            "Spatz",
            () -> ours(vocabulary, work)::encode,
            "jtokkit",
            () -> {
              Encoding encoding = Encodings.newLazyEncodingRegistry().getEncoding(type);
              return text -> encoding.encodeOrdinary(text).toArray();
            },
            HUGGING_FACE,
            () -> new HuggingFace(saved));
    Map<String, Factory> chosen = new TreeMap<>();
    for (String name : System.getProperty("libraries", "Spatz,jtokkit,Hugging Face").split(",")) {
      chosen.put(name, factories.get(name));
    }
    return chosen;
  }

  private static Tokenizer ours(String vocabulary, Path work) throws IOException {
    Path file = work.resolve(vocabulary + ".tiktoken");
    if (!Files.exists(file)) {
      try (InputStream in = Encodings.class.getResourceAsStream(vocabulary + ".tiktoken")) {
        Files.copy(in, file);
      }
    }
    boolean gpt2 = vocabulary.equals("r50k_base");
    return SavedTokenizer.loadTiktoken(
        file,
        SplitPattern.regex(gpt2 ? SplitPattern.GPT2 : SplitPattern.LLAMA3),
        List.of(new SpecialToken("<|endoftext|>", gpt2 ? 50_256 : 100_257)),
        "<|endoftext|>");
  }

  private static void compare(
      String vocabulary, Path file, Map<String, Factory> factories, int rounds) throws IOException {
    String text = Files.readString(file);
    double megabytes = text.getBytes(StandardCharsets.UTF_8).length / 1e6;
    int[] expected = factories.get("jtokkit").create().encode(text);
    List<String> names = factories.keySet().stream().sorted().toList();
    double[][][] seconds = new double[names.size()][3][rounds];
    for (int i = 0; i < names.size(); i++) {
      boolean isNative = names.get(i).equals(HUGGING_FACE);
      Arrays.setAll(seconds[i], k -> new double[isNative ? Math.min(rounds, 3) : rounds]);
      Encoder encoder = factories.get(names.get(i)).create();
      for (int k = 0; k < (isNative ? 1 : WARM_UP); k++) {
        if (!Arrays.equals(expected, encoder.encode(text))) {
          throw new IllegalStateException(names.get(i) + " gives other ids");
        }
      }
      encoder.close();
    }
    for (int round = 0; round < rounds; round++) {
      for (int i = 0; i < names.size(); i++) {
        if (round >= seconds[i][0].length) {
          continue;
        }
        Encoder encoder = factories.get(names.get(i)).create();
        double once = time(encoder, text, 1);
        double more = time(encoder, text, TIMES - 1);
        seconds[i][0][round] = once;
        seconds[i][1][round] = (once + more) / TIMES;
        boolean isNative = names.get(i).equals(HUGGING_FACE); // again would take as long again
        seconds[i][2][round] = isNative ? Double.NaN : time(encoder, text, TIMES) / TIMES;
        encoder.close();
      }
    }
    for (int i = 0; i < names.size(); i++) {
      System.out.printf("%s | %s | %s", vocabulary, file.getFileName(), names.get(i));
      for (double[] measured : seconds[i]) {
        System.out.printf(" | %.1f", megabytes / median(measured));
      }
      System.out.println();
    }
  }

  private static double time(Encoder encoder, String text, int times) {
    long start = System.nanoTime();
    long tokens = 0;
    for (int i = 0; i < times; i++) {
      tokens += encoder.encode(text).length;
    }
    if (tokens == 0) {
      throw new IllegalStateException("no ids");
    }
    return (System.nanoTime() - start) / 1e9;
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return (sorted[sorted.length / 2] + sorted[(sorted.length - 1) / 2]) / 2;
  }

  /** A megabyte without a place to cut it, of several kinds. */
  private static void longWords(String vocabulary, Factory factory) throws IOException {
    Random random = new Random(1);
    Map<String, String> words = new TreeMap<>();
    words.put("one letter", "a".repeat(MEGABYTE));
    words.put("two letters in turn", "ab".repeat(MEGABYTE / 2));
    words.put("spaces", " ".repeat(MEGABYTE));
    words.put("line breaks", "\n".repeat(MEGABYTE));
    words.put("spaces and line breaks", " \n".repeat(MEGABYTE / 2));
    words.put("dots", ".".repeat(MEGABYTE));
    words.put("digits", "7".repeat(MEGABYTE));
    words.put("a Chinese character", "\u4E2D".repeat(MEGABYTE / 3));
    words.put("apostrophes", "'".repeat(MEGABYTE));
    StringBuilder letters = new StringBuilder();
    random.ints(MEGABYTE, 'a', 'z' + 1).forEach(c -> letters.append((char) c));
    words.put("random letters", letters.toString());
    for (Map.Entry<String, String> word : words.entrySet()) {
      Encoder encoder = factory.create();
      System.out.printf(
          "%s | 1 MB: %s | Spatz | %.3f s%n",
          vocabulary, word.getKey(), time(encoder, word.getValue(), 1));
    }
  }

  private static void batches(Tokenizer tokenizer, Path file) throws IOException {
    String text = Files.readString(file);
    List<String> parts = new ArrayList<>();
    for (int i = 0; i < text.length(); i += 10_000) {
      int end = Math.min(text.length(), i + 10_000);
      if (end < text.length() && Character.isLowSurrogate(text.charAt(end))) {
        end++;
      }
      parts.add(text.substring(i, end));
    }
    List<String> all = new ArrayList<>();
    Collections.nCopies(TIMES, parts).forEach(all::addAll);
    double megabytes = TIMES * text.getBytes(StandardCharsets.UTF_8).length / 1e6;
    for (int threads = 1; threads <= Runtime.getRuntime().availableProcessors(); threads *= 2) {
      double[] seconds = new double[7];
      for (int i = -2; i < seconds.length; i++) {
        long start = System.nanoTime();
        tokenizer.encodeBatch(all, threads);
        if (i >= 0) {
          seconds[i] = (System.nanoTime() - start) / 1e9;
        }
      }
      System.out.printf(
          "cl100k_base | encodeBatch, %d threads | Spatz | %.1f%n",
          threads, megabytes / median(seconds));
    }
  }

  /** Hugging Face's library without the Java objects that DJL makes of its results. */
  private static final class HuggingFace implements Encoder {
    private final HuggingFaceTokenizer tokenizer;

    HuggingFace(Path directory) throws IOException {
      tokenizer =
          HuggingFaceTokenizer.newInstance(
              directory.resolve("tokenizer.json"),
              Map.of("addSpecialTokens", "false", "truncation", "false"));
    }

    @Override
    public int[] encode(String text) {
      long encoding = TokenizersLibrary.LIB.encode(tokenizer.getHandle(), text, false);
      long[] ids = TokenizersLibrary.LIB.getTokenIds(encoding);
      TokenizersLibrary.LIB.deleteEncoding(encoding);
      return Arrays.stream(ids).mapToInt(Math::toIntExact).toArray();
    }

    @Override
    public void close() {
      tokenizer.close();
    }
  }
}
