package dev.spatz.checkpoint;

import dev.spatz.generation.GenerationConfig;
import dev.spatz.tokenizer.ChatTemplate;
import dev.spatz.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How a model's texts are spelled, generated and ended, beyond what its tokenizer says.
 *
 * @param chatTemplates how conversations are spelled, in the language Jinja, by name; {@value
 *     #DEFAULT} is the one that counts, if there is any
 * @param bosToken what templates know as {@code bos_token}; null where the files do not say
 * @param eosToken what templates know as {@code eos_token}; null where the files do not say
 * @param moreEnds ids that end a text besides the tokenizer's own
 * @param generation how texts are generated where nobody says otherwise, or null; what the file has
 *     no key for cannot be saved
 */
public record TextConventions(
    Map<String, String> chatTemplates,
    @Nullable String bosToken,
    @Nullable String eosToken,
    List<Integer> moreEnds,
    @Nullable GenerationConfig generation) {
  /** The name of the template that counts. */
  public static final String DEFAULT = "default";

  /** Nothing is known. */
  public static final TextConventions NONE =
      new TextConventions(Map.of(), null, null, List.of(), null);

  /** Keeps copies. */
  public TextConventions {
    chatTemplates = Collections.unmodifiableMap(new LinkedHashMap<>(chatTemplates));
    moreEnds = List.copyOf(moreEnds);
  }

  /**
   * Those of a model that was trained here: ChatML, if its tokenizer has the tokens, and {@link
   * GenerationConfig#defaults}.
   */
  public static TextConventions of(Tokenizer tokenizer) {
    return NONE.withChatTemplate(ChatTemplateFile.ofTokenizer(tokenizer))
        .withGeneration(GenerationConfig.defaults());
  }

  /** These, with another template that counts; null for none. */
  public TextConventions withChatTemplate(@Nullable String source) {
    Map<String, String> templates = new LinkedHashMap<>(chatTemplates);
    if (source == null) {
      templates.remove(DEFAULT);
    } else {
      templates.put(DEFAULT, source);
    }
    return new TextConventions(templates, bosToken, eosToken, moreEnds, generation);
  }

  /**
   * How conversations are spelled: the template that counts, or else a built-in one.
   *
   * @throws IllegalArgumentException if the template is malformed, or uses what is not implemented
   */
  public ChatTemplate template(Tokenizer tokenizer) {
    ChatTemplate builtIn = ChatTemplate.builtIn(tokenizer);
    String source = chatTemplates.get(DEFAULT);
    return source == null || source.equals(builtIn.source())
        ? builtIn
        : ChatTemplate.jinja(source, beginToken(tokenizer), endToken(tokenizer));
  }

  /** What stands for {@code bos_token}: what the files say, or else what begins a text. */
  String beginToken(Tokenizer tokenizer) {
    int begin = tokenizer.beginOfText().orElse(tokenizer.endOfText());
    return bosToken != null ? bosToken : TokenizerFiles.content(tokenizer, begin);
  }

  /** What stands for {@code eos_token}: what the files say, or else what ends a text. */
  String endToken(Tokenizer tokenizer) {
    return eosToken != null ? eosToken : TokenizerFiles.content(tokenizer, tokenizer.endOfText());
  }

  /** These, with another way to generate. */
  public TextConventions withGeneration(@Nullable GenerationConfig value) {
    return new TextConventions(chatTemplates, bosToken, eosToken, moreEnds, value);
  }

  static TextConventions read(Path directory, ConfigFile config, Tokenizer tokenizer)
      throws IOException {
    List<Integer> ends = GenerationConfigFile.endsOfText(directory, config.json());
    for (int id : ends) {
      if (id < 0 || id >= tokenizer.vocabularySize()) {
        throw new InvalidFileException(
            directory,
            "eos_token_id "
                + id
                + " is outside the tokenizer's vocabulary of "
                + tokenizer.vocabularySize());
      }
    }
    return new TextConventions(
        ChatTemplateFile.read(directory),
        TokenizerFiles.named(directory, "bos_token"),
        TokenizerFiles.named(directory, "eos_token"),
        ends.stream().filter(id -> id != tokenizer.endOfText()).toList(),
        GenerationConfigFile.settings(directory, config.shape().contextLength()));
  }
}
