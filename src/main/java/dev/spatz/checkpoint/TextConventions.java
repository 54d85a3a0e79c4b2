package dev.spatz.checkpoint;

import dev.spatz.generation.GenerationConfig;
import dev.spatz.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a model's texts are spelled, generated and ended, beyond what its tokenizer says.
 *
 * @param chatTemplate how conversations are spelled, in the language Jinja, or null
 * @param moreEnds ids that end a text besides the tokenizer's own
 * @param generation how texts are generated where nobody says otherwise, or null; what the file has
 *     no key for cannot be saved
 */
public record TextConventions(
    @Nullable String chatTemplate, List<Integer> moreEnds, @Nullable GenerationConfig generation) {
  /** Nothing is known. */
  public static final TextConventions NONE = new TextConventions(null, List.of(), null);

  /** Keeps a copy of the ids. */
  public TextConventions {
    moreEnds = List.copyOf(moreEnds);
  }

  /**
   * Those of a model that was trained here: ChatML, if its tokenizer has the tokens, and {@link
   * GenerationConfig#defaults}.
   */
  public static TextConventions of(Tokenizer tokenizer) {
    return new TextConventions(
        ChatTemplateFile.ofTokenizer(tokenizer), List.of(), GenerationConfig.defaults());
  }

  /** These, with another template. */
  public TextConventions withChatTemplate(@Nullable String value) {
    return new TextConventions(value, moreEnds, generation);
  }

  /** These, with another way to generate. */
  public TextConventions withGeneration(@Nullable GenerationConfig value) {
    return new TextConventions(chatTemplate, moreEnds, value);
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
        ends.stream().filter(id -> id != tokenizer.endOfText()).toList(),
        GenerationConfigFile.settings(directory, config.shape().contextLength()));
  }
}
