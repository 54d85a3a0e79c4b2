package dev.spatz.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.knuddels.jtokkit.Encodings;
import dev.spatz.tokenizer.AllowedSpecial;
import dev.spatz.tokenizer.SpecialToken;
import dev.spatz.tokenizer.SplitPattern;
import dev.spatz.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * A {@code tokenizer.json} of every kind that is read, for Hugging Face's libraries to be compared
 * with. The vocabularies are those that jtokkit's jar carries, whole or their first tokens; parts
 * are put around them as published tokenizers have them.
 *
 * <p>As a program, it writes them with the ids that {@link TokenizerTexts} get here: {@code
 * src/it/interop/tokenizers/run.sh}.
 */
final class TokenizerKinds {
  static final ObjectMapper JSON = new ObjectMapper();

  private static final int SMALL = 4_000;
  private static final String END = "<|endoftext|>";

  /** GPT-4o's, which nothing is written for by hand. */
  private static final String GPT4O =
      "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+"
          + "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
          + "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*"
          + "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
          + "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

  private final Path work;
  private final Map<String, ObjectNode> kinds = new LinkedHashMap<>();

  private TokenizerKinds(Path work) {
    this.work = work;
  }

  /** Kinds of a few thousand tokens, by name. */
  static Map<String, ObjectNode> small(Path work) throws IOException {
    TokenizerKinds kinds = new TokenizerKinds(work);
    ObjectNode base = kinds.byteLevel("r50k_base", SMALL, SplitPattern.GPT2);
    kinds.splits(base);
    kinds.normalizers(base);
    kinds.addedTokens(base);
    kinds.templates(base);
    kinds.sentencePiece(base);
    kinds.words();
    return kinds.kinds;
  }

  /** Kinds of published sizes. */
  static Map<String, ObjectNode> large(Path work) throws IOException {
    TokenizerKinds kinds = new TokenizerKinds(work);
    ObjectNode gpt2 = kinds.byteLevel("r50k_base", Integer.MAX_VALUE, SplitPattern.GPT2);
    gpt2.set("pre_tokenizer", byteLevel(false, true));
    kinds.kinds.put("gpt2-50k", gpt2);
    ObjectNode cl100k = kinds.byteLevel("cl100k_base", Integer.MAX_VALUE, SplitPattern.LLAMA3);
    kinds.kinds.put("llama3-100k", cl100k);
    kinds.put("llama3-100k-merges", cl100k).withObjectProperty("model").put("ignore_merges", false);
    return kinds.kinds;
  }

  /** Writes a directory for each kind, with the texts and their ids. */
  public static void main(String[] arguments) throws IOException {
    Path out = Files.createDirectories(Path.of(arguments[0]));
    Map<String, ObjectNode> kinds = small(out);
    kinds.putAll(large(out));
    List<String> texts = TokenizerTexts.all();
    for (Map.Entry<String, ObjectNode> kind : kinds.entrySet()) {
      Path directory = out.resolve(kind.getKey());
      Tokenizer tokenizer = load(kind.getValue(), directory);
      ArrayNode expected = JSON.createArrayNode();
      for (String text : texts) {
        int[] ids = encode(tokenizer, text);
        ObjectNode item = expected.addObject().put("text", text);
        item.put("special", tokenizer.beginOfText().isPresent() || tokenizer.endsTexts());
        item.put("decoded", tokenizer.decode(ids));
        Arrays.stream(ids).forEach(item.putArray("ids")::add);
      }
      JSON.writeValue(directory.resolve("expected.json").toFile(), expected);
      System.out.println(kind.getKey() + ": " + tokenizer);
    }
  }

  /** The ids of a text as Hugging Face's libraries have them, which find special tokens in it. */
  static int[] encode(Tokenizer tokenizer, String text) {
    IntStream begin = tokenizer.beginOfText().stream();
    IntStream end = tokenizer.endsTexts() ? IntStream.of(tokenizer.endOfText()) : IntStream.empty();
    IntStream ids = Arrays.stream(tokenizer.encode(text, AllowedSpecial.ALL));
    return IntStream.concat(IntStream.concat(begin, ids), end).toArray();
  }

  /** What is read from a {@code tokenizer.json}. */
  static Tokenizer load(ObjectNode json, Path directory) throws IOException {
    Files.createDirectories(directory);
    JSON.writeValue(directory.resolve("tokenizer.json").toFile(), json);
    Files.writeString(
        directory.resolve("tokenizer_config.json"),
        "{\"tokenizer_class\":\"PreTrainedTokenizerFast\",\"eos_token\":\"" + END + "\"}");
    return SavedTokenizer.load(directory);
  }

  // ---- vocabularies ----

  /** The first tokens of one of jtokkit's vocabularies, as Spatz writes them. */
  private ObjectNode byteLevel(String name, int size, String split) throws IOException {
    Path directory = Files.createDirectories(work.resolve("vocabularies"));
    Path file = directory.resolve(name + ".tiktoken");
    List<String> lines;
    try (InputStream in = Encodings.class.getResourceAsStream(name + ".tiktoken")) {
      lines = new String(in.readAllBytes(), StandardCharsets.US_ASCII).lines().toList();
    }
    // A hole in the ids of cl100k and r50k, which a special token fills, comes after all of these.
    Files.write(file, lines.subList(0, Math.min(size, lines.size())));
    SpecialToken end = new SpecialToken(END, Math.min(size, lines.size()));
    Tokenizer tokenizer =
        SavedTokenizer.loadTiktoken(file, SplitPattern.regex(split), List.of(end), END);
    SavedTokenizer.save(tokenizer, directory);
    return (ObjectNode) JSON.readTree(directory.resolve("tokenizer.json").toFile());
  }

  private ObjectNode put(String name, ObjectNode base) {
    ObjectNode copy = base.deepCopy();
    kinds.put(name, copy);
    return copy;
  }

  // ---- splits ----

  private void splits(ObjectNode base) {
    put("gpt2", base).set("pre_tokenizer", byteLevel(false, true));
    put("gpt2-prefix-space", base).set("pre_tokenizer", byteLevel(true, true));
    put("gpt2-as-split", base);
    put("bytes-unsplit", base).set("pre_tokenizer", byteLevel(false, false));
    put("llama3", base).set("pre_tokenizer", split(SplitPattern.LLAMA3));
    ObjectNode whole = put("llama3-whole-tokens", base);
    whole.set("pre_tokenizer", split(SplitPattern.LLAMA3));
    whole.withObjectProperty("model").put("ignore_merges", true);
    ArrayNode merges = JSON.createArrayNode();
    for (int i = 0; i < whole.at("/model/merges").size(); i += i % 7 == 0 ? 2 : 1) {
      merges.add(whole.at("/model/merges").get(i)); // some tokens are found as a whole only
    }
    whole.withObjectProperty("model").set("merges", merges);
    ObjectNode qwen2 = put("qwen2", base);
    qwen2.set("pre_tokenizer", split(SplitPattern.QWEN2));
    qwen2.putObject("normalizer").put("type", "NFC");
    put("smollm", base).set("pre_tokenizer", sequence(digits(true), byteLevel(false, true)));
    put("digits-together", base)
        .set("pre_tokenizer", sequence(digits(false), byteLevel(false, true)));
    put("gpt4o", base).set("pre_tokenizer", split(GPT4O));
    put("bloom", base).set("pre_tokenizer", split(" ?[^(\\s|[.,!?\u2026\u3002\uFF0C\u3001])]+"));
    put("deepseek", base)
        .set(
            "pre_tokenizer",
            sequence(
                split("Isolated", false, "[\\r\\n]"),
                split("Isolated", false, "\\s?\\p{L}+"),
                split("Isolated", false, "\\s?\\p{P}+"),
                split("Isolated", false, "[\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+"),
                digits(true),
                byteLevel(false, false)));
    for (String behavior :
        List.of("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")) {
      put("split-" + behavior, base)
          .set("pre_tokenizer", sequence(split(behavior, false, "\\s"), byteLevel(false, false)));
      put("split-" + behavior + "-inverted", base)
          .set("pre_tokenizer", sequence(split(behavior, true, "\\w+"), byteLevel(false, false)));
    }
  }

  private static ObjectNode byteLevel(boolean addPrefixSpace, boolean useRegex) {
    return JSON.createObjectNode()
        .put("type", "ByteLevel")
        .put("add_prefix_space", addPrefixSpace)
        .put("trim_offsets", true)
        .put("use_regex", useRegex);
  }

  private static ObjectNode digits(boolean individual) {
    return JSON.createObjectNode().put("type", "Digits").put("individual_digits", individual);
  }

  private static ObjectNode split(String behavior, boolean invert, String regex) {
    ObjectNode split = JSON.createObjectNode().put("type", "Split");
    split.putObject("pattern").put("Regex", regex);
    return split.put("behavior", behavior).put("invert", invert);
  }

  private static ObjectNode split(String regex) {
    return sequence(split("Isolated", false, regex), byteLevel(false, false));
  }

  private static ObjectNode sequence(ObjectNode... parts) {
    ObjectNode sequence = JSON.createObjectNode().put("type", "Sequence");
    sequence.putArray("pretokenizers").addAll(List.of(parts));
    return sequence;
  }

  // ---- normalizers, added tokens, templates ----

  private void normalizers(ObjectNode base) {
    for (String form : List.of("NFC", "NFD", "NFKC", "NFKD", "Lowercase")) {
      put("normalizer-" + form, base).putObject("normalizer").put("type", form);
    }
    put("normalizer-Strip", base)
        .putObject("normalizer")
        .put("type", "Strip")
        .put("strip_left", true)
        .put("strip_right", true);
    ObjectNode sequence = put("normalizer-Sequence", base).putObject("normalizer");
    ArrayNode parts = sequence.put("type", "Sequence").putArray("normalizers");
    parts.addObject().put("type", "NFKC");
    parts.addObject().put("type", "Lowercase");
    parts
        .addObject()
        .put("type", "Replace")
        .put("content", " ")
        .putObject("pattern")
        .put("Regex", "\\s{2,}");
    parts
        .addObject()
        .put("type", "Replace")
        .put("content", "...")
        .putObject("pattern")
        .put("String", "!");
    parts.addObject().put("type", "Prepend").put("prepend", "> ");
  }

  /** Every flag, alone and with others, before a normalizer that some of them look behind. */
  private void addedTokens(ObjectNode base) {
    ObjectNode kind = put("added-tokens", base);
    kind.putObject("normalizer").put("type", "Lowercase");
    ArrayNode tokens = kind.withArray("added_tokens");
    int id = SMALL + 1;
    for (int flags = 0; flags < 32; flags++) {
      tokens
          .addObject()
          .put("id", id++)
          .put("content", "<x" + Integer.toBinaryString(32 + flags).substring(1) + ">")
          .put("single_word", (flags & 1) != 0)
          .put("lstrip", (flags & 2) != 0)
          .put("rstrip", (flags & 4) != 0)
          .put("normalized", (flags & 8) != 0)
          .put("special", (flags & 16) != 0);
    }
    for (String word : List.of("word", "WORD", "word word", "<x", "  ", "\u00E9\u0301")) {
      tokens
          .addObject()
          .put("id", id++)
          .put("content", word)
          .put("single_word", word.startsWith("w"))
          .put("lstrip", false)
          .put("rstrip", false)
          .put("normalized", word.equals("WORD"))
          .put("special", false);
    }
  }

  private void templates(ObjectNode base) {
    ObjectNode begin = put("template-begin", base);
    template(begin, List.of(END, "A"));
    ObjectNode both = put("template-begin-end", base);
    template(both, List.of(END, "A", END));
    ObjectNode sequence = put("template-in-sequence", base);
    template(sequence, List.of(END, "A"));
    ObjectNode post = JSON.createObjectNode().put("type", "Sequence");
    post.putArray("processors").add(byteLevel(true, false)).add(sequence.get("post_processor"));
    sequence.set("post_processor", post);
  }

  private static void template(ObjectNode kind, List<String> parts) {
    ObjectNode template = kind.putObject("post_processor").put("type", "TemplateProcessing");
    for (String name : List.of("single", "pair")) {
      ArrayNode array = template.putArray(name);
      for (String part : parts) {
        array
            .addObject()
            .putObject(part.equals("A") ? "Sequence" : "SpecialToken")
            .put("id", part)
            .put("type_id", 0);
      }
      if (name.equals("pair")) {
        array.addObject().putObject("Sequence").put("id", "B").put("type_id", 0);
      }
    }
    ObjectNode special = template.putObject("special_tokens").putObject(END).put("id", END);
    special.putArray("ids").add(kind.at("/model/vocab").get(END).intValue());
    special.putArray("tokens").add(END);
  }

  // ---- SentencePiece and words ----

  /** The tokens that are text, their spaces written as SentencePiece does, and 256 bytes. */
  private void sentencePiece(ObjectNode base) throws IOException {
    ObjectNode model = JSON.createObjectNode();
    model.put("type", "BPE").putNull("dropout").put("unk_token", "<unk>");
    model.putNull("continuing_subword_prefix").putNull("end_of_word_suffix");
    model.put("fuse_unk", true).put("byte_fallback", true).put("ignore_merges", false);
    ObjectNode vocabulary = model.putObject("vocab");
    vocabulary.put("<unk>", 0).put(END, 1);
    for (int b = 0; b < 256; b++) {
      vocabulary.put(String.format("<0x%02X>", b), vocabulary.size());
    }
    Map<String, String> spelled = new LinkedHashMap<>();
    base.at("/model/vocab")
        .fieldNames()
        .forEachRemaining(
            token -> {
              String text = text(token);
              if (text != null && !vocabulary.has(text)) {
                spelled.put(token, text);
                vocabulary.put(text, vocabulary.size());
              }
            });
    ArrayNode merges = model.putArray("merges");
    base.at("/model/merges")
        .forEach(
            merge -> {
              String left = spelled.get(merge.get(0).textValue());
              String right = spelled.get(merge.get(1).textValue());
              if (left != null && right != null && vocabulary.has(left + right)) {
                merges.addArray().add(left).add(right);
              }
            });
    ObjectNode llama = JSON.createObjectNode().put("version", "1.0").putNull("truncation");
    ArrayNode added = llama.putNull("padding").putArray("added_tokens");
    for (String token : List.of("<unk>", END)) {
      added
          .addObject()
          .put("id", vocabulary.get(token).intValue())
          .put("content", token)
          .put("single_word", false)
          .put("lstrip", false)
          .put("rstrip", false)
          .put("normalized", false)
          .put("special", true);
    }
    ArrayNode normalizers =
        llama.putObject("normalizer").put("type", "Sequence").putArray("normalizers");
    normalizers.addObject().put("type", "Prepend").put("prepend", "\u2581");
    normalizers
        .addObject()
        .put("type", "Replace")
        .put("content", "\u2581")
        .putObject("pattern")
        .put("String", " ");
    llama.putNull("pre_tokenizer").putNull("post_processor");
    ArrayNode decoders = llama.putObject("decoder").put("type", "Sequence").putArray("decoders");
    decoders
        .addObject()
        .put("type", "Replace")
        .put("content", " ")
        .putObject("pattern")
        .put("String", "\u2581");
    decoders.addObject().put("type", "ByteFallback");
    decoders.addObject().put("type", "Fuse");
    decoders.addObject().put("type", "Strip").put("content", " ").put("start", 1).put("stop", 0);
    llama.set("model", model);
    kinds.put("llama2", llama);
    for (String scheme : List.of("always", "first", "never")) {
      ObjectNode kind = put("metaspace-" + scheme, llama);
      ObjectNode metaspace =
          JSON.createObjectNode()
              .put("type", "Metaspace")
              .put("replacement", "\u2581")
              .put("prepend_scheme", scheme)
              .put("split", scheme.equals("first"));
      kind.putNull("normalizer").set("pre_tokenizer", metaspace);
      kind.set("decoder", metaspace);
    }
    put("characters-unknown", llama).withObjectProperty("model").put("byte_fallback", false);
    put("characters-unknown-apart", llama)
        .withObjectProperty("model")
        .put("byte_fallback", false)
        .put("fuse_unk", false);
    put("characters-left-out", llama)
        .withObjectProperty("model")
        .put("byte_fallback", false)
        .putNull("unk_token");
  }

  /** A byte-level token as text, with U+2581 for a space; null if it is none. */
  private static String text(String token) {
    try {
      byte[] bytes = dev.spatz.tokenizer.ByteLevel.toBytes(token);
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(bytes))
          .toString()
          .replace(' ', '\u2581');
    } catch (CharacterCodingException | IllegalArgumentException e) {
      return null;
    }
  }

  private void words() {
    ObjectNode words = JSON.createObjectNode().put("version", "1.0").putNull("truncation");
    ArrayNode added = words.putNull("padding").putArray("added_tokens");
    ObjectNode model = JSON.createObjectNode().put("type", "WordLevel");
    ObjectNode vocabulary = model.putObject("vocab").put("[UNK]", 0).put(END, 1);
    model.put("unk_token", "[UNK]");
    for (String text : TokenizerTexts.byHand()) {
      for (String word : text.split("\\s+|(?=\\p{Punct})|(?<=\\p{Punct})")) {
        if (!word.isEmpty() && !vocabulary.has(word) && vocabulary.size() % 5 < 4) {
          vocabulary.put(word, vocabulary.size());
        }
      }
    }
    for (String token : List.of("[UNK]", END)) {
      added
          .addObject()
          .put("id", vocabulary.get(token).intValue())
          .put("content", token)
          .put("single_word", false)
          .put("lstrip", false)
          .put("rstrip", false)
          .put("normalized", false)
          .put("special", true);
    }
    words
        .putNull("normalizer")
        .putNull("pre_tokenizer")
        .putNull("post_processor")
        .putNull("decoder");
    words.set("model", model);
    for (String split : List.of("Whitespace", "WhitespaceSplit")) {
      put("words-" + split, words).putObject("pre_tokenizer").put("type", split);
    }
  }
}
