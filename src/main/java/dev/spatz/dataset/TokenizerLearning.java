package dev.spatz.dataset;

import dev.spatz.tokenizer.BytePairTokenizer;
import dev.spatz.tokenizer.BytePairTrainer;
import dev.spatz.tokenizer.CharacterTokenizer;
import dev.spatz.tokenizer.ChatTemplate;
import dev.spatz.tokenizer.Tokenizer;
import java.io.IOException;
import java.util.BitSet;
import java.util.List;
import java.util.function.LongToIntFunction;
import java.util.stream.Stream;

/**
 * Learns tokenizers from a corpus, reading it once as a stream. Where the corpus has several
 * documents, the end-of-text token that will stand between them also begins every prompt.
 */
public final class TokenizerLearning {
  /** Vocabularies of at least so many ids have tokens for the turns of conversations. */
  private static final int LEAST_FOR_TURNS = 512;

  private TokenizerLearning() {}

  /**
   * A byte-pair tokenizer with an end-of-text token.
   *
   * @param vocabularySize ids at most, given the number of the corpus's UTF-16 characters; fewer if
   *     the corpus has too few frequent pairs
   * @throws IOException if the corpus cannot be read
   * @throws IllegalArgumentException if the vocabulary has no room for the bytes, or as {@link
   *     Corpus#forEach} says
   */
  public static BytePairTokenizer bytePair(Corpus corpus, LongToIntFunction vocabularySize)
      throws IOException {
    BytePairTrainer trainer = new BytePairTrainer();
    CutPieces pieces = new CutPieces(trainer);
    corpus.forEach(pieces);
    int size = vocabularySize.applyAsInt(pieces.characters);
    BytePairTokenizer tokenizer = trainer.train(size, specialTokens(size));
    return pieces.documents > 1 ? tokenizer.withBeginOfText() : tokenizer;
  }

  /** What ends a text; and, but in the smallest vocabularies, what begins and ends a turn. */
  private static List<String> specialTokens(int vocabularySize) {
    return vocabularySize < LEAST_FOR_TURNS
        ? List.of(Tokenizer.END_OF_TEXT)
        : Stream.concat(Stream.of(Tokenizer.END_OF_TEXT), ChatTemplate.SPECIAL_TOKENS.stream())
            .toList();
  }

  /**
   * A tokenizer for the characters that occur in a corpus.
   *
   * @throws IOException if the corpus cannot be read
   * @throws IllegalArgumentException if the corpus is empty, or as {@link Corpus#forEach} says
   */
  public static CharacterTokenizer characters(Corpus corpus) throws IOException {
    Characters characters = new Characters();
    corpus.forEach(characters);
    CharacterTokenizer tokenizer = CharacterTokenizer.of(characters.seen.stream().toArray());
    return characters.documents > 1 ? tokenizer.withBeginOfText() : tokenizer;
  }

  /** Collects the characters that occur. */
  private static final class Characters implements DocumentVisitor {
    private final BitSet seen = new BitSet();
    private long documents;

    @Override
    public void text(CharSequence piece) {
      piece.codePoints().forEach(seen::set);
    }

    @Override
    public void endOfDocument() {
      documents++;
    }
  }

  /** Hands documents on in pieces that end where no word is cut. */
  private static final class CutPieces implements DocumentVisitor {
    private static final int PIECE = 1 << 16;

    private final BytePairTrainer trainer;
    private final StringBuilder pending = new StringBuilder();
    private int tryCutAt = PIECE;
    private long characters;
    private long documents;

    CutPieces(BytePairTrainer trainer) {
      this.trainer = trainer;
    }

    @Override
    public void text(CharSequence piece) {
      characters += piece.length();
      pending.append(piece);
      if (pending.length() >= tryCutAt) {
        add(BytePairTrainer.cut(pending));
        tryCutAt = Math.max(PIECE, 2 * pending.length()); // no quadratic search in a long word
      }
    }

    @Override
    public void endOfDocument() {
      documents++;
      add(pending.length());
      tryCutAt = PIECE;
    }

    private void add(int length) {
      if (length > 0) {
        trainer.add(pending.substring(0, length));
        pending.delete(0, length);
      }
    }
  }
}
