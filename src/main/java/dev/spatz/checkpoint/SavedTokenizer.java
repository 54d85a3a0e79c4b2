package dev.spatz.checkpoint;

import dev.spatz.tokenizer.PipelineTokenizer;
import dev.spatz.tokenizer.SpecialToken;
import dev.spatz.tokenizer.SplitPattern;
import dev.spatz.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;

/** Tokenizers in files by themselves, without a model. */
public final class SavedTokenizer {
  /** What {@code tokenizer_config.json} gives as the longest text where no model limits it. */
  private static final int UNLIMITED = Integer.MAX_VALUE;

  private SavedTokenizer() {}

  /**
   * Loads the tokenizer of a directory in Hugging Face's layout: a {@code tokenizer.json}, or
   * GPT-2's {@code vocab.json} and {@code merges.txt}. What the directory's other files say of the
   * tokenizer is followed; the weights need not be there.
   *
   * @throws InvalidFileException if a file is broken, or asks for what is not implemented
   * @throws IOException if a file is absent or cannot be read
   */
  public static Tokenizer load(Path directory) throws IOException {
    Path config = directory.resolve(ConfigFile.NAME);
    return TokenizerFiles.read(
        directory,
        Files.exists(config)
            ? JsonObject.read(config, JsonObject.SETTINGS_BYTES)
            : JsonObject.empty(config));
  }

  /**
   * Loads a vocabulary in tiktoken's format: in each line a token's bytes in Base64, a space, and
   * its id, which is also its rank among the merges. The file does not say how text is split.
   *
   * @param split {@link SplitPattern#LLAMA3} as a regular expression for cl100k and Llama 3, {@link
   *     SplitPattern#GPT2} for r50k, or the expression that the model was trained with
   * @param specialTokens at ids that the file does not have
   * @param endOfText the content of the one among them that ends a text
   * @throws InvalidFileException if the file is broken, or the special tokens do not fit it
   * @throws IOException if it is absent or cannot be read
   */
  public static PipelineTokenizer loadTiktoken(
      Path file, SplitPattern split, Collection<SpecialToken> specialTokens, String endOfText)
      throws IOException {
    return TiktokenFile.read(file, split, specialTokens, endOfText);
  }

  /**
   * Writes {@code tokenizer.json} and {@code tokenizer_config.json}, over those that are there.
   *
   * @param directory is made if it is absent
   * @throws IllegalArgumentException if a special token is spelled as another token
   * @throws IOException if writing fails
   */
  public static void save(Tokenizer tokenizer, Path directory) throws IOException {
    Files.createDirectories(directory);
    TokenizerFiles.write(directory, tokenizer, UNLIMITED);
  }
}
