package dev.spatz.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.spatz.tokenizer.AddedToken;
import dev.spatz.tokenizer.Normalizer;
import dev.spatz.tokenizer.PipelineTokenizer;
import dev.spatz.tokenizer.PreTokenizer;
import dev.spatz.tokenizer.Tokenizer;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The flags {@code add_…} of {@code tokenizer_config.json}, beside what {@code tokenizer.json} says
 * of the same. A flag that says the same, or adds what is not there, is honoured. Where the two
 * differ, transformers' classes for Llama follow the flag, as here; its other classes follow one or
 * the other by their version, and the difference is refused.
 *
 * @see <a
 *     href="https://huggingface.co/docs/transformers/model_doc/llama2#transformers.LlamaTokenizerFast">
 *     LlamaTokenizerFast</a>
 */
final class TokenizerFlags {
  private static final String BEGIN = "add_bos_token";
  private static final String END = "add_eos_token";
  private static final String SPACE = "add_prefix_space";
  private static final String BEGIN_OF_TEXT = "bos_token";

  /** What transformers' classes for Llama take for the token that begins a text by default. */
  private static final String LLAMAS_BEGIN = "<s>";

  /** Classes that make the template from the flags, whatever the file's is. */
  private static final Set<String> FLAGS_DECIDE =
      Set.of(
          "LlamaTokenizer",
          "LlamaTokenizerFast",
          "CodeLlamaTokenizer",
          "CodeLlamaTokenizerFast",
          "GemmaTokenizer",
          "GemmaTokenizerFast");

  private TokenizerFlags() {}

  /**
   * What stands around every text.
   *
   * @param begin the id before it, if there is one
   * @param end the id behind it, if a template says so
   * @param ends whether a token that ends it is behind it
   */
  record Frame(OptionalInt begin, OptionalInt end, boolean ends) {}

  /**
   * What stands around every text.
   *
   * @param json the content of {@code tokenizer.json}
   * @param settings that of {@code tokenizer_config.json}, or null
   * @throws InvalidFileException if a template does anything else to the ids, or the two differ
   */
  static Frame frame(JsonObject json, @Nullable JsonObject settings) throws InvalidFileException {
    Frame template = template(json);
    if (settings == null) {
      return template;
    }
    boolean flagsDecide = FLAGS_DECIDE.contains(settings.text("", "tokenizer_class"));
    boolean ends = template.ends;
    if (settings.has(END)) {
      ends = settings.flag(false, END);
      if (template.ends && !ends && !flagsDecide) {
        throw differs(settings, END, "behind", template.end);
      }
    }
    OptionalInt begin = template.begin;
    if (settings.has(BEGIN)) {
      if (!settings.flag(false, BEGIN)) {
        if (begin.isPresent() && !flagsDecide) {
          throw differs(settings, BEGIN, "before", begin);
        }
        begin = OptionalInt.empty();
      } else if (begin.isEmpty() || flagsDecide) {
        begin = OptionalInt.of(idOf(beginOfText(settings), json, settings));
      }
    }
    return new Frame(begin, template.end, ends);
  }

  private static InvalidFileException differs(
      JsonObject settings, String flag, String where, OptionalInt id) {
    return settings.invalid(
        flag,
        String.format(
            Locale.ROOT,
            "%s puts id %d %s every text; remove the flag, or the template there",
            TokenizerFiles.TOKENIZER,
            id.orElseThrow(),
            where));
  }

  /** Whether every prompt is to begin with the token that ends a text, as GPT-2's files may ask. */
  static boolean beginsWith(String endOfText, @Nullable JsonObject settings)
      throws InvalidFileException {
    if (settings == null || !settings.flag(false, BEGIN)) {
      return false;
    }
    if (settings.has(BEGIN_OF_TEXT) && !beginOfText(settings).equals(endOfText)) {
      throw settings.invalid(
          BEGIN_OF_TEXT, "without a " + TokenizerFiles.TOKENIZER + " it must be " + endOfText);
    }
    return true;
  }

  /** Whether every text is to end with the token that ends a text, as GPT-2's files may ask. */
  static boolean ends(@Nullable JsonObject settings) throws InvalidFileException {
    return settings != null && settings.flag(false, END);
  }

  /** Refuses a flag that contradicts the tokenizer on a space before every text. */
  static void requireSameSpace(@Nullable JsonObject settings, Tokenizer tokenizer)
      throws InvalidFileException {
    if (settings == null || !settings.has(SPACE)) {
      return;
    }
    boolean puts =
        tokenizer instanceof PipelineTokenizer pipeline
            && (putsSpace(pipeline.parts().normalizer())
                || putsSpace(pipeline.parts().preTokenizer()));
    if (settings.flag(puts, SPACE) != puts) {
      throw settings.invalid(
          SPACE,
          "the tokenizer itself puts "
              + (puts ? "a" : "no")
              + " space before a text; remove the flag, or change the tokenizer");
    }
  }

  private static boolean putsSpace(Normalizer normalizer) {
    return normalizer instanceof Normalizer.Prepend
        || normalizer instanceof Normalizer.Sequence sequence
            && sequence.parts().stream().anyMatch(TokenizerFlags::putsSpace);
  }

  private static boolean putsSpace(PreTokenizer preTokenizer) {
    return preTokenizer instanceof PreTokenizer.ByteLevel bytes && bytes.addPrefixSpace()
        || preTokenizer instanceof PreTokenizer.Metaspace metaspace
            && metaspace.scheme() != PreTokenizer.PrependScheme.NEVER
        || preTokenizer instanceof PreTokenizer.Sequence sequence
            && sequence.parts().stream().anyMatch(TokenizerFlags::putsSpace);
  }

  private static String beginOfText(JsonObject settings) throws InvalidFileException {
    JsonNode token = settings.find(BEGIN_OF_TEXT);
    return token != null && token.isObject()
        ? settings.requireObject(BEGIN_OF_TEXT).text("content")
        : settings.text(LLAMAS_BEGIN, BEGIN_OF_TEXT);
  }

  private static int idOf(String content, JsonObject json, JsonObject settings)
      throws InvalidFileException {
    for (AddedToken token : PipelineFile.addedTokens(json)) {
      if (token.special() && token.content().equals(content)) {
        return token.id();
      }
    }
    throw settings.invalid(
        BEGIN_OF_TEXT,
        content + " is to begin every text, and must be a special token of the tokenizer");
  }

  /** The ids that the post-processor puts around a text; it may do nothing else to the ids. */
  private static Frame template(JsonObject json) throws InvalidFileException {
    Frame frame = null;
    if (json.has("post_processor")) {
      JsonObject processor = json.requireObject("post_processor");
      List<JsonObject> parts =
          processor.text("type").equals("Sequence")
              ? PipelineFile.objects(processor, "processors")
              : List.of(processor);
      for (JsonObject part : parts) {
        String type = part.text("type");
        if (type.equals(TokenizerFiles.TEMPLATE) && frame == null) {
          frame = single(part);
        } else if (!type.equals("ByteLevel")) {
          throw part.invalid("type", "\"ByteLevel\" and one template are implemented, no other");
        }
      }
    }
    return frame != null ? frame : new Frame(OptionalInt.empty(), OptionalInt.empty(), false);
  }

  private static Frame single(JsonObject template) throws InvalidFileException {
    JsonNode parts = template.requireArray("single");
    int text = 0;
    while (text < parts.size() && !parts.get(text).at("/Sequence/id").asText().equals("A")) {
      text++;
    }
    if (text == parts.size() || text > 1 || parts.size() > text + 2) {
      throw template.invalid(
          "single", "at most one token before the text, and one behind it, are implemented");
    }
    OptionalInt begin = text == 0 ? OptionalInt.empty() : id(template, parts.get(0));
    boolean ends = parts.size() == text + 2;
    return new Frame(begin, ends ? id(template, parts.get(text + 1)) : OptionalInt.empty(), ends);
  }

  private static OptionalInt id(JsonObject template, JsonNode part) throws InvalidFileException {
    String name = part.at("/SpecialToken/id").asText();
    JsonNode ids = template.requireObject("special_tokens").requireObject(name).requireArray("ids");
    if (ids.size() != 1 || !ids.get(0).canConvertToInt()) {
      throw template.invalid("special_tokens", "each must have one id");
    }
    return OptionalInt.of(ids.get(0).intValue());
  }
}
