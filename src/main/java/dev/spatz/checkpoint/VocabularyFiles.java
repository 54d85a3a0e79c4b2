package dev.spatz.checkpoint;

import dev.spatz.tokenizer.BytePairTokenizer;
import dev.spatz.tokenizer.Merge;
import dev.spatz.tokenizer.SpecialToken;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * {@code vocab.json} and {@code merges.txt}, GPT-2's files, which directories without a {@code
 * tokenizer.json} have. They say nothing of how text is split, so they are read for GPT-2 alone,
 * with the token that ends a text as the only special one.
 */
final class VocabularyFiles {
  static final String VOCABULARY = "vocab.json";
  static final String MERGES = "merges.txt";

  private static final String ADDED_TOKENS = "added_tokens.json";
  private static final Set<String> CLASSES = Set.of("GPT2Tokenizer", "GPT2TokenizerFast");

  private VocabularyFiles() {}

  static boolean arePresent(Path directory) {
    return Files.exists(directory.resolve(VOCABULARY)) && Files.exists(directory.resolve(MERGES));
  }

  /**
   * Reads a tokenizer.
   *
   * @param config the directory's {@code config.json}
   * @param settings its {@code tokenizer_config.json}, or null
   * @throws InvalidFileException if a file is broken, or the tokenizer is another than GPT-2's
   */
  static BytePairTokenizer read(Path directory, JsonObject config, @Nullable JsonObject settings)
      throws IOException {
    requireGpt2(directory, config, settings);
    Path path = directory.resolve(VOCABULARY);
    JsonObject vocabulary = JsonObject.read(path, JsonObject.LARGEST_BYTES);
    String[] tokens = TokenizerFiles.vocabulary(vocabulary, List.of());
    SpecialToken end = endOfText(directory, config, settings, vocabulary, tokens);
    requireNoOtherAddedToken(settings, end);
    try {
      BytePairTokenizer tokenizer =
          BytePairFile.of(
              tokens, merges(directory.resolve(MERGES), tokens), List.of(end), end.content());
      TokenizerFlags.requireSameSpace(settings, tokenizer);
      tokenizer = TokenizerFlags.ends(settings) ? tokenizer.withEndOfText() : tokenizer;
      return TokenizerFlags.beginsWith(end.content(), settings)
          ? tokenizer.withBeginOfText()
          : tokenizer;
    } catch (IllegalArgumentException e) {
      throw new InvalidFileException(path, "the tokenizer is invalid: " + e.getMessage(), e);
    }
  }

  private static void requireGpt2(Path directory, JsonObject config, @Nullable JsonObject settings)
      throws InvalidFileException {
    String rule = "only GPT-2's tokenizer is read without a " + TokenizerFiles.TOKENIZER;
    if (settings != null && settings.has("tokenizer_class")) {
      if (!CLASSES.contains(settings.text("tokenizer_class"))) {
        throw settings.invalid("tokenizer_class", rule);
      }
    } else if (!config.text("", "model_type").equals("gpt2")) {
      throw config.invalid("model_type", rule);
    }
    Path added = directory.resolve(ADDED_TOKENS);
    if (Files.exists(added)) {
      throw new InvalidFileException(
          added, "added tokens are not read without a " + TokenizerFiles.TOKENIZER);
    }
  }

  private static SpecialToken endOfText(
      Path directory,
      JsonObject config,
      @Nullable JsonObject settings,
      JsonObject vocabulary,
      String[] tokens)
      throws IOException {
    OptionalInt id = GenerationConfigFile.endOfText(directory, config);
    if (id.isEmpty()) {
      String content = TokenizerFiles.endOfText(settings);
      int given = vocabulary.integer(-1, content);
      if (given < 0) {
        throw vocabulary.invalid(content, "the token that ends a text must be in the vocabulary");
      }
      return new SpecialToken(content, given);
    }
    if (id.getAsInt() < 0 || id.getAsInt() >= tokens.length) {
      throw new InvalidFileException(
          vocabulary.path(),
          String.format(
              Locale.ROOT,
              "there is no token %d, which ends a text; there are %d tokens",
              id.getAsInt(),
              tokens.length));
    }
    return new SpecialToken(tokens[id.getAsInt()], id.getAsInt());
  }

  private static void requireNoOtherAddedToken(@Nullable JsonObject settings, SpecialToken end)
      throws InvalidFileException {
    JsonObject added = settings == null ? null : settings.object("added_tokens_decoder");
    if (added == null) {
      return;
    }
    for (String id : added.keys()) {
      if (!id.equals(Integer.toString(end.id()))) {
        throw added.invalid(id, "added tokens are not read without a " + TokenizerFiles.TOKENIZER);
      }
    }
  }

  /** One merge in each line, by rank: two tokens with a space between them. */
  private static List<Merge> merges(Path path, String[] tokens) throws IOException {
    Map<String, Integer> ids = new HashMap<>();
    for (int id = 0; id < tokens.length; id++) {
      ids.put(tokens[id], id);
    }
    List<String> lines = lines(path);
    List<Merge> merges = new ArrayList<>(lines.size());
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i);
      if (line.isEmpty() || i == 0 && line.startsWith("#version")) {
        continue;
      }
      String[] parts = line.split(" ", -1);
      Integer left = parts.length == 2 ? ids.get(parts[0]) : null;
      Integer right = parts.length == 2 ? ids.get(parts[1]) : null;
      if (left == null || right == null) {
        throw new InvalidFileException(
            path,
            String.format(
                Locale.ROOT,
                "line %d is '%.200s'; it must be two tokens of %s with a space between them",
                i + 1,
                line,
                VOCABULARY));
      }
      merges.add(new Merge(left, right));
    }
    return merges;
  }

  private static List<String> lines(Path path) throws IOException {
    long size = Files.size(path);
    if (size > JsonObject.LARGEST_BYTES) {
      throw new InvalidFileException(
          path,
          String.format(
              Locale.ROOT,
              "the file has %,d bytes; such a file has at most %,d",
              size,
              JsonObject.LARGEST_BYTES));
    }
    try {
      return Files.readAllLines(path);
    } catch (CharacterCodingException e) {
      throw new InvalidFileException(path, "the file is not UTF-8", e);
    }
  }
}
