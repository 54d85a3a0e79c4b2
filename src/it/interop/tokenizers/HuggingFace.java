import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * Hugging Face's tokenizers, by DJL, as the judge of ids: each directory holds a {@code
 * tokenizer.json} and texts with the ids and the decoded text that Spatz makes of them.
 */
public final class HuggingFace {
  private static final ObjectMapper JSON = new ObjectMapper();

  private HuggingFace() {}

  /** Compares; the argument is the directory of directories. */
  public static void main(String[] arguments) throws IOException {
    List<Path> kinds;
    try (Stream<Path> directories = Files.list(Path.of(arguments[0]))) {
      kinds =
          directories.filter(path -> Files.exists(path.resolve("expected.json"))).sorted().toList();
    }
    boolean good = true;
    System.out.println("kind | texts | same ids | same text again | verdict");
    for (Path kind : kinds) {
      good &= judge(kind);
    }
    System.exit(good ? 0 : 1);
  }

  private static boolean judge(Path kind) throws IOException {
    JsonNode expected = JSON.readTree(kind.resolve("expected.json").toFile());
    int sameIds = 0;
    int sameText = 0;
    try (HuggingFaceTokenizer tokenizer =
        HuggingFaceTokenizer.newInstance(
            kind.resolve("tokenizer.json"), Map.of("truncation", "false"))) {
      for (JsonNode item : expected) {
        String text = item.get("text").textValue();
        long[] ours = ids(item.get("ids"));
        long[] theirs = tokenizer.encode(text, item.get("special").booleanValue(), false).getIds();
        if (java.util.Arrays.equals(ours, theirs)) {
          sameIds++;
        } else {
          report(kind, text, java.util.Arrays.toString(ours), java.util.Arrays.toString(theirs));
        }
        String decoded = tokenizer.decode(ours, true);
        if (decoded.equals(item.get("decoded").textValue())) {
          sameText++;
        } else {
          report(kind, text, item.get("decoded").toString(), JSON.writeValueAsString(decoded));
        }
      }
    }
    boolean good = sameIds == expected.size() && sameText == expected.size();
    System.out.printf(
        "%s | %d | %d | %d | %s%n",
        kind.getFileName(), expected.size(), sameIds, sameText, good ? "passed" : "FAILED");
    return good;
  }

  private static void report(Path kind, String text, String ours, String theirs)
      throws IOException {
    System.err.printf(
        "%s: %s%n  here  %s%n  there %s%n",
        kind.getFileName(), JSON.writeValueAsString(text), ours, theirs);
  }

  private static long[] ids(JsonNode array) {
    return LongStream.range(0, array.size()).map(i -> array.get((int) i).longValue()).toArray();
  }
}
