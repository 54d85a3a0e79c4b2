package dev.spatz.checkpoint;

import dev.spatz.tokenizer.AddedToken;
import dev.spatz.tokenizer.ByteLevel;
import dev.spatz.tokenizer.Merge;
import dev.spatz.tokenizer.Normalizer;
import dev.spatz.tokenizer.PipelineTokenizer;
import dev.spatz.tokenizer.PreTokenizer;
import dev.spatz.tokenizer.SpecialToken;
import dev.spatz.tokenizer.SplitPattern;
import dev.spatz.tokenizer.TokenDecoder;
import dev.spatz.tokenizer.TokenModel;
import dev.spatz.tokenizer.TokenRanks;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;

/**
 * Vocabularies in tiktoken's format: in each line a token in Base64 and its rank, which is its id.
 * There are no merges: the two neighbours whose joined bytes have the lowest rank become one.
 * {@link TokenRanks} finds the merges that do the same.
 *
 * @see <a href="https://github.com/openai/tiktoken/blob/main/src/lib.rs">tiktoken</a>
 */
final class TiktokenFile {
  private TiktokenFile() {}

  /**
   * Reads a vocabulary.
   *
   * @param split how text is split
   * @param specialTokens at ids that the file does not have
   * @param endOfText the content of the one that ends a text
   * @throws InvalidFileException if the file is broken, or the special tokens do not fit it
   */
  static PipelineTokenizer read(
      Path path, SplitPattern split, Collection<SpecialToken> specialTokens, String endOfText)
      throws IOException {
    List<byte[]> tokens = tokens(path);
    try {
      return of(tokens, split, specialTokens, endOfText);
    } catch (IllegalArgumentException e) {
      throw new InvalidFileException(path, "the tokenizer is invalid: " + e.getMessage(), e);
    }
  }

  private static PipelineTokenizer of(
      List<byte[]> tokens,
      SplitPattern split,
      Collection<SpecialToken> specialTokens,
      String endOfText) {
    TokenRanks ranks = new TokenRanks(tokens);
    List<Merge> merges = ranks.merges();
    List<String> vocabulary = new ArrayList<>();
    tokens.forEach(token -> vocabulary.add(ByteLevel.toCharacters(token)));
    List<AddedToken> added = new ArrayList<>();
    int end = -1;
    for (SpecialToken token :
        specialTokens.stream().sorted((a, b) -> Integer.compare(a.id(), b.id())).toList()) {
      // Ids between those of the file and of the special tokens mean nothing.
      for (int id = vocabulary.size(); id < token.id(); id++) {
        vocabulary.add("<|unused_" + id + "|>");
        added.add(new AddedToken(vocabulary.get(id), id, false, false, false, false, true));
      }
      if (token.id() != vocabulary.size()) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "special token %s has id %d, which the vocabulary gives to another token",
                token.content(),
                token.id()));
      }
      vocabulary.add(token.content());
      added.add(new AddedToken(token.content(), token.id(), false, false, false, false, true));
      end = token.content().equals(endOfText) ? token.id() : end;
    }
    if (end < 0) {
      throw new IllegalArgumentException(
          "there is no special token " + endOfText + " to end a text; they are " + specialTokens);
    }
    TokenModel.BytePairOptions options =
        new TokenModel.BytePairOptions(null, false, false, !ranks.areAllMerged());
    PipelineTokenizer.Parts parts =
        new PipelineTokenizer.Parts(
            added,
            Normalizer.NONE,
            new PreTokenizer.Sequence(
                List.of(
                    new PreTokenizer.Split(split, PreTokenizer.Behavior.ISOLATED, false),
                    new PreTokenizer.ByteLevel(false, false))),
            new TokenModel.BytePair(vocabulary, merges, options),
            new TokenDecoder.ByteLevel());
    return new PipelineTokenizer(parts, end, OptionalInt.empty());
  }

  /** The tokens by id. */
  private static List<byte[]> tokens(Path path) throws IOException {
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
    List<byte[]> tokens = new ArrayList<>();
    int number = 0;
    for (String line :
        new String(Files.readAllBytes(path), StandardCharsets.ISO_8859_1).split("\r?\n")) {
      number++;
      if (line.isEmpty()) {
        continue;
      }
      String[] parts = line.split(" ", -1);
      if (parts.length != 2 || !parts[1].equals(Integer.toString(tokens.size()))) {
        throw fault(path, number, line, tokens.size());
      }
      try {
        tokens.add(Base64.getDecoder().decode(parts[0]));
      } catch (IllegalArgumentException e) {
        throw fault(path, number, line, tokens.size());
      }
    }
    return tokens;
  }

  private static InvalidFileException fault(Path path, int number, String line, int id) {
    return new InvalidFileException(
        path,
        String.format(
            Locale.ROOT,
            "line %d is '%.200s'; it must be a token in Base64, a space, and the id %d, since ids"
                + " follow each other from 0",
            number,
            line,
            id));
  }
}
