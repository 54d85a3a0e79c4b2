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
 * <p>Not judged is what Jlama 0.8.4 does otherwise than Hugging Face's libraries:
 *
 * <ul>
 *   <li>Its {@code LlamaConfig} takes {@code rope_scaling} for none unless its {@code rope_type} is
 *       linear, so that models with Llama 3's scaling get unscaled frequencies.
 *   <li>Its {@code LlamaModel} loads no biases.
 *   <li>Its {@code PanamaTensorOperations} refuse widths that are no multiple of 8, as the
 *       feed-forward width of stories260K, 172.
 *   <li>Its {@code TokenizerModel.PreTokenizer} knows ByteLevel only inside a Sequence, and never
 *       its {@code use_regex}. In the form of GPT-2's file, which is ours, it drops every space and
 *       line break of a text. With the splittings of Llama 3 and Qwen 2, which are a Sequence,
 *       ASCII texts get our ids; other characters are looked up as they are, not as their bytes.
 * </ul>
 *
 * <p>How many texts get our ids there is therefore shown, not judged.
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
    System.out.println("model | texts with our ids | greedy tokens as ours | verdict");
    for (Iterator<Map.Entry<String, JsonNode>> kinds = expected.fields(); kinds.hasNext(); ) {
      Map.Entry<String, JsonNode> kind = kinds.next();
      boolean readAsWritten =
          !kind.getKey().matches("llama3-rope|llama-biases.*|llama-stories260K");
      if (kind.getKey().startsWith("llama") && readAsWritten) {
        good &= judge(new File(arguments[0], kind.getKey()), kind.getValue());
      }
    }
    System.exit(good ? 0 : 1);
  }

  private static boolean judge(File directory, JsonNode expected) {
    JsonNode texts = expected.get("texts");
    try (AbstractModel model = ModelSupport.loadModel(directory, DType.F32, DType.F32)) {
      int sameIds = 0;
      int same = 0;
      int excused = 0;
      int all = 0;
      for (JsonNode text : texts) {
        long[] theirs = model.getTokenizer().encode(text.get("text").asText());
        long[] ours = Arrays.stream(ints(text.get("ids"))).asLongStream().toArray();
        sameIds += Arrays.equals(theirs, ours) ? 1 : 0;
      }
      for (JsonNode item : expected.get("continuations")) {
        int[] tokens = ints(item.get("tokens"));
        int[] theirs = continuation(model, ints(item.get("prompt")), tokens.length);
        int differs = Arrays.mismatch(tokens, theirs);
        int agreed = differs < 0 ? tokens.length : differs;
        boolean near = differs >= 0 && item.get("gaps").get(differs).asDouble() <= CLOSE;
        same += agreed;
        excused += near ? tokens.length - agreed : 0;
        all += tokens.length;
      }
      boolean good = same + excused == all;
      String note = excused == 0 ? "" : " (" + excused + " after a near tie)";
      System.out.println(
          directory.getName()
              + " | "
              + sameIds
              + "/"
              + texts.size()
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
