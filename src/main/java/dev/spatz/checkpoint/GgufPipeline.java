package dev.spatz.checkpoint;

import dev.spatz.tokenizer.AddedToken;
import dev.spatz.tokenizer.ByteLevel;
import dev.spatz.tokenizer.Merge;
import dev.spatz.tokenizer.Normalizer;
import dev.spatz.tokenizer.PipelineTokenizer;
import dev.spatz.tokenizer.PreTokenizer;
import dev.spatz.tokenizer.SplitPattern;
import dev.spatz.tokenizer.TokenModel;
import java.text.Normalizer.Form;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What llama.cpp calls a tokenizer that is made of parts: the name of its splitting and its merges,
 * or the scores of its tokens. One that llama.cpp would give other ids is refused.
 *
 * <p>One difference is let pass, since every GGUF file of Qwen 2 has it: llama.cpp does not
 * normalize to NFC. It is logged.
 *
 * @see <a href="https://github.com/ggml-org/llama.cpp/blob/master/src/llama-vocab.cpp">its
 *     names</a>
 */
final class GgufPipeline {
  private static final Logger LOG = LoggerFactory.getLogger(GgufPipeline.class);
  private static final String META_SPACE = "\u2581";
  private static final PreTokenizer.ByteLevel SPELLED = new PreTokenizer.ByteLevel(false, false);
  private static final PreTokenizer.ByteLevel GPT2_SPLIT = new PreTokenizer.ByteLevel(false, true);

  /** Splitting → its name where whole tokens do not come before merges. */
  private static final Map<PreTokenizer, String> SPLITS =
      Map.of(
          GPT2_SPLIT,
          "gpt-2",
          isolated(SplitPattern.GPT2, SPELLED),
          "gpt-2",
          isolated("\\p{N}", GPT2_SPLIT),
          "smollm",
          isolated(SplitPattern.QWEN2, SPELLED),
          "qwen2",
          isolated(SplitPattern.LLAMA3, SPELLED),
          "dbrx");

  /** The only name with which whole tokens come before merges. */
  private static final String LLAMA3_WHOLE_TOKENS_FIRST = "llama-bpe";

  private final PipelineTokenizer tokenizer;
  private final PipelineTokenizer.Parts parts;
  private final TokenModel.BytePair model;

  private GgufPipeline(PipelineTokenizer tokenizer) {
    this.tokenizer = tokenizer;
    parts = tokenizer.parts();
    if (!(parts.model() instanceof TokenModel.BytePair bytePair)) {
      throw refused("its tokens are words, for which llama.cpp has no tokenizer");
    }
    model = bytePair;
    for (AddedToken token : parts.addedTokens()) {
      if (token.lstrip() || token.rstrip() || token.singleWord()) {
        throw refused(
            "its token "
                + token.content()
                + " has lstrip, rstrip or single_word, for which a GGUF file has no place");
      }
    }
  }

  /**
   * Describes a tokenizer.
   *
   * @param types of its tokens, all normal or control so far; others are set
   * @throws IllegalArgumentException if llama.cpp has nothing that gives the same ids
   */
  static GgufTokenizer.Rule rule(PipelineTokenizer tokenizer, int[] types) {
    GgufPipeline pipeline = new GgufPipeline(tokenizer);
    for (AddedToken token : pipeline.parts.addedTokens()) {
      if (!token.special()) {
        types[token.id()] = GgufTokenizer.USER_DEFINED;
      }
    }
    String split = SPLITS.get(simplified(pipeline.parts.preTokenizer()));
    return split == null ? pipeline.scores(types) : pipeline.merges(split, types);
  }

  private static PreTokenizer isolated(String expression, PreTokenizer second) {
    SplitPattern pattern = SplitPattern.regex(expression);
    PreTokenizer first = new PreTokenizer.Split(pattern, PreTokenizer.Behavior.ISOLATED, false);
    return new PreTokenizer.Sequence(List.of(first, second));
  }

  private static PreTokenizer simplified(PreTokenizer preTokenizer) {
    return preTokenizer instanceof PreTokenizer.Sequence sequence && sequence.parts().size() == 1
        ? sequence.parts().get(0)
        : preTokenizer;
  }

  // ---- byte-level byte pair encoding ----

  private GgufTokenizer.Rule merges(String split, int[] types) {
    if (parts.normalizer().equals(new Normalizer.Unicode(Form.NFC))) {
      LOG.warn("llama.cpp does not normalize: text that is not in NFC gets other ids there");
    } else if (!parts.normalizer().equals(Normalizer.NONE)) {
      throw refused("llama.cpp does not normalize text, and the tokenizer does");
    }
    List<String> tokens = model.vocabulary();
    Set<String> known = Set.copyOf(tokens);
    for (int b = 0; b < 256; b++) {
      String character = ByteLevel.toCharacters((byte) b);
      if (!known.contains(character)
          && (model.unknown() != null || model.options().byteFallback())) {
        throw refused("its vocabulary has no token for byte " + b + ", which llama.cpp leaves out");
      }
    }
    for (int id = 0; id < tokens.size(); id++) {
      if (types[id] == GgufTokenizer.NORMAL) {
        requireBytes(id, ByteLevel.toBytes(tokens.get(id)));
      }
    }
    List<String> merges = new ArrayList<>(model.merges().size());
    for (Merge merge : model.merges()) {
      merges.add(tokens.get(merge.left()) + " " + tokens.get(merge.right()));
    }
    return new GgufTokenizer.Merges(name(split, types), merges);
  }

  private String name(String split, int[] types) {
    if (!model.options().ignoreMerges()) {
      return split;
    }
    if (split.equals(SPLITS.get(isolated(SplitPattern.LLAMA3, SPELLED)))) {
      return LLAMA3_WHOLE_TOKENS_FIRST;
    }
    String token = notMerged(types);
    if (token != null) {
      throw refused(
          "it has ignore_merges, which llama.cpp has with Llama 3's splitting alone, and no merges"
              + " make its token "
              + token);
    }
    return split;
  }

  /** A token that merges do not make; null if whole tokens before merges change nothing. */
  private @Nullable String notMerged(int[] types) {
    TokenModel.BytePairOptions options = model.options();
    TokenModel.Encoder encoder =
        new TokenModel.BytePair(
                model.vocabulary(),
                model.merges(),
                new TokenModel.BytePairOptions(
                    options.unknown(), options.fuseUnknown(), options.byteFallback(), false))
            .encoder();
    for (int id = 0; id < types.length && id < model.vocabulary().size(); id++) {
      String token = model.vocabulary().get(id);
      if (types[id] == GgufTokenizer.NORMAL && encoder.encode(token).length != 1) {
        return token;
      }
    }
    return null;
  }

  // ---- SentencePiece ----

  private GgufTokenizer.Rule scores(int[] types) {
    boolean spaceFirst = spaceFirst();
    if (!model.options().byteFallback() || model.options().ignoreMerges()) {
      throw refused(
          "llama.cpp spells what the vocabulary lacks by bytes (byte_fallback), and lets no whole"
              + " token come before merges (ignore_merges)");
    }
    List<String> tokens = model.vocabulary();
    for (int b = 0; b < 256; b++) {
      int id = tokens.indexOf(String.format(Locale.ROOT, "<0x%02X>", b));
      if (id < 0) {
        throw refused("its vocabulary has no token for byte " + b);
      }
      types[id] = GgufTokenizer.BYTE;
      requireBytes(id, new byte[] {(byte) b});
    }
    for (int id = 0; id < tokens.size(); id++) {
      if (tokens.get(id).equals(model.unknown())) {
        types[id] = GgufTokenizer.UNKNOWN;
      } else if (types[id] == GgufTokenizer.NORMAL) {
        requireBytes(id, GgufTokenizer.utf8(tokens.get(id).replace(META_SPACE, " ")));
      }
    }
    if (parts.decoder().strip() != (spaceFirst ? 1 : 0)) {
      throw refused("its decoder and its normalizer disagree on the space before a text");
    }
    for (AddedToken token : parts.addedTokens()) {
      if (!token.special() && token.normalized()) {
        throw refused(
            "llama.cpp finds token " + token.content() + " before normalization, not behind it");
      }
    }
    return new GgufTokenizer.Scores(GgufScores.of(model), spaceFirst);
  }

  /** Whether a space goes before every text, as for Llama 2. */
  private boolean spaceFirst() {
    SplitPattern space = SplitPattern.literal(" ");
    Normalizer replace = new Normalizer.Replace(space, META_SPACE);
    Normalizer normalizer = parts.normalizer();
    PreTokenizer pre = simplified(parts.preTokenizer());
    if (pre.equals(PreTokenizer.NONE)) {
      if (normalizer.equals(
          new Normalizer.Sequence(List.of(new Normalizer.Prepend(META_SPACE), replace)))) {
        return true;
      }
      if (normalizer.equals(replace)
          || normalizer.equals(new Normalizer.Sequence(List.of(replace)))) {
        return false;
      }
    }
    if (pre.equals(new PreTokenizer.Metaspace(META_SPACE, PreTokenizer.PrependScheme.NEVER, false))
        && normalizer.equals(Normalizer.NONE)) {
      return false;
    }
    throw refused(
        pre instanceof PreTokenizer.Metaspace
            ? "its Metaspace puts no space before a text that begins with one, or splits at spaces;"
                + " llama.cpp's SentencePiece puts one before every text, and splits nowhere"
            : "llama.cpp has no name for its normalizer and pre-tokenizer");
  }

  // ---- what both have ----

  private void requireBytes(int id, byte[] expected) {
    if (!Arrays.equals(expected, tokenizer.tokenBytes(id))) {
      throw refused(
          String.format(
              Locale.ROOT,
              "its decoder gives token %s (id %d) another text than llama.cpp",
              model.vocabulary().get(id),
              id));
    }
  }

  private IllegalArgumentException refused(String reason) {
    return GgufTokenizer.refused(tokenizer, reason);
  }
}
