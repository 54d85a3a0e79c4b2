package dev.spatz.checkpoint;

import dev.spatz.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a model's texts are spelled and end, beyond what its tokenizer says.
 *
 * @param chatTemplate how conversations are spelled, in the language Jinja, or null
 * @param moreEnds ids that end a text besides the tokenizer's own
 */
public record TextConventions(@Nullable String chatTemplate, List<Integer> moreEnds) {
  /** Nothing is known. */
  public static final TextConventions NONE = new TextConventions(null, List.of());

  /** Keeps a copy of the ids. */
  public TextConventions {
    moreEnds = List.copyOf(moreEnds);
  }

  /** Those of a model that was trained here: ChatML, if its tokenizer has the tokens. */
  public static TextConventions of(Tokenizer tokenizer) {
    return new TextConventions(ChatTemplateFile.ofTokenizer(tokenizer), List.of());
  }

  /** These, with another template. */
  public TextConventions withChatTemplate(@Nullable String value) {
    return new TextConventions(value, moreEnds);
  }

  static TextConventions read(Path directory, JsonObject config, Tokenizer tokenizer)
      throws IOException {
    List<Integer> ends = GenerationConfigFile.endsOfText(directory, config);
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
        ends.stream().filter(id -> id != tokenizer.endOfText()).toList());
  }
}
