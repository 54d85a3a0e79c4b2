import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.model.ModelSupport;
import com.github.tjake.jlama.safetensors.DType;
import com.github.tjake.jlama.tensor.AbstractTensor;
import com.github.tjake.jlama.tensor.KvBufferCache;
import java.io.File;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Map;
import java.util.UUID;

/**
 * Jlama as the judge of saved {@code llama} directories: it must continue our prompts' ids,
 * greedily, with our tokens. A difference counts unless our two best logits are near each other.
 *
 * <p>Argument: the directory that {@code Models.java} has written.
 */
public final class Jlama {
  private static final double CLOSE = 0.02;

  private Jlama() {}

  /** Judges; the exit code is 1 where a model is not as ours. */
  public static void main(String[] arguments) throws Exception {
    JsonNode expected = new ObjectMapper().readTree(new File(arguments[0], "expected.json"));
    boolean good = true;
    System.out.println("model | prompts with our ids | greedy tokens as ours | verdict");
    for (Iterator<Map.Entry<String, JsonNode>> kinds = expected.fields(); kinds.hasNext(); ) {
      Map.Entry<String, JsonNode> kind = kinds.next();
      // Left out: biases, which Jlama does not read, and Llama 3's rotary scaling.
      if (kind.getKey().matches("llama(?!3|-biases).*")) {
        good &= judge(new File(arguments[0], kind.getKey()), kind.getValue());
      }
    }
    System.exit(good ? 0 : 1);
  }

  private static boolean judge(File directory, JsonNode items) {
    try (AbstractModel model = ModelSupport.loadModel(directory, DType.F32, DType.F32)) {
      int sameIds = 0;
      int same = 0;
      int excused = 0;
      int all = 0;
      for (JsonNode item : items) {
        long[] ids = model.getTokenizer().encode(item.get("prompt").asText());
        int[] prompt = ints(item.get("promptIds"));
        sameIds += Arrays.equals(ids, Arrays.stream(prompt).asLongStream().toArray()) ? 1 : 0;
        int[] tokens = ints(item.get("tokens"));
        int[] theirs = continuation(model, prompt, tokens.length);
        int differs = Arrays.mismatch(tokens, theirs);
        int agreed = differs < 0 ? tokens.length : differs;
        boolean near = differs >= 0 && item.get("gaps").get(differs).asDouble() <= CLOSE;
        same += agreed;
        excused += near ? tokens.length - agreed : 0;
        all += tokens.length;
      }
      boolean good = same + excused == all; // its own ids of prompts are shown, not judged
      String note = excused == 0 ? "" : " (" + excused + " after a near tie)";
      System.out.println(
          directory.getName()
              + " | "
              + sameIds
              + "/"
              + items.size()
              + " | "
              + same
              + "/"
              + all
              + note
              + " | "
              + (good ? "passed" : "FAILED"));
      return good;
    } catch (Throwable e) {
      System.out.println(directory.getName() + " | does not load: " + e);
      e.printStackTrace();
      return false;
    }
  }

  private static int[] continuation(AbstractModel model, int[] prompt, int count) {
    int[] tokens = new int[count];
    try (KvBufferCache caches = new KvBufferCache(model)) {
      KvBufferCache.KvBuffer cache = caches.getKvBuffer(UUID.randomUUID());
      int[] ids = prompt;
      int position = 0;
      for (int i = 0; i < count; i++) {
        AbstractTensor output = model.batchForward(ids, position, cache);
        AbstractTensor last = output.slice(output.shape().first() - 1);
        float[] logits = model.getLogits(last);
        int best = 0;
        for (int id = 1; id < logits.length; id++) {
          best = logits[id] > logits[best] ? id : best;
        }
        position += ids.length;
        tokens[i] = best;
        ids = new int[] {best};
      }
    }
    return tokens;
  }

  private static int[] ints(JsonNode values) {
    int[] result = new int[values.size()];
    Arrays.setAll(result, i -> values.get(i).asInt());
    return result;
  }
}
