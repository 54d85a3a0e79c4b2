package dev.spatz.tokenizer;

import java.util.List;
import java.util.Locale;

/**
 * Learns the vocabulary of a {@link BytePairTokenizer} from text that it is given piece by piece.
 *
 * <p>The result is that of Hugging Face's {@code BpeTrainer} with the byte alphabet: the first ids
 * are the special tokens', then come the 256 bytes in the order of the code points of their {@link
 * ByteLevel} characters, then the merges in order. Each next merge is the most frequent pair of
 * neighbouring tokens; of equally frequent ones the smaller left id goes first, then the smaller
 * right id. Learning ends at the asked size, or earlier when no pair is frequent enough: a small
 * text gives a smaller vocabulary.
 *
 * <p>The spelling of a special token is ordinary text here, as in {@link Tokenizer#encode}; but no
 * merge makes a token of exactly its spelling, since files name tokens by their spelling.
 *
 * <p>The memory needed grows with the number of different words, not with the length of the text.
 * Not safe for use by several threads.
 */
public final class BytePairTrainer {
  /** How often a pair must occur to be merged, where nothing else is asked. */
  public static final int DEFAULT_MINIMUM_FREQUENCY = 2;

  private final PieceCounts counts = new PieceCounts();
  private final long minimumFrequency;
  private final TieRule tieRule;

  /**
   * A trainer that merges pairs occurring at least twice (Hugging Face's {@code
   * ByteLevelBPETokenizer} also takes 2; its bare {@code BpeTrainer} 0, which merges single
   * occurrences too).
   */
  public BytePairTrainer() {
    this(DEFAULT_MINIMUM_FREQUENCY);
  }

  /**
   * A trainer that merges pairs occurring at least {@code minimumFrequency} times.
   *
   * @param minimumFrequency at least 1
   * @throws IllegalArgumentException if the frequency is below 1
   */
  public BytePairTrainer(long minimumFrequency) {
    this(minimumFrequency, TieRule.SMALLEST_IDS);
  }

  BytePairTrainer(long minimumFrequency, TieRule tieRule) {
    if (minimumFrequency < 1) {
      throw new IllegalArgumentException(
          "minimum frequency (" + minimumFrequency + ") must be at least 1");
    }
    this.minimumFrequency = minimumFrequency;
    this.tieRule = tieRule;
  }

  /**
   * The last index found at which a text may be cut for {@link #add} without changing what is
   * learned, whatever text follows later.
   *
   * @param text a text, or as much of it as is there; it may end inside a surrogate pair
   * @return the index; 0 if no place is safe yet
   */
  public static int cut(CharSequence text) {
    return Splitter.GPT2.lastCut(text);
  }

  /**
   * Counts the words of a piece of text. No word crosses the border of two pieces: a piece is a
   * document, or ends at a {@link #cut}.
   *
   * @param piece any well-formed text
   * @throws IllegalArgumentException if the piece contains an unpaired surrogate; the message names
   *     its index
   */
  public void add(CharSequence piece) {
    byte[] utf8 = Utf16.toUtf8(piece.toString());
    for (int start = 0, end; start < utf8.length; start = end) {
      end = Splitter.GPT2.end(utf8, start, utf8.length);
      counts.add(utf8, start, end);
    }
  }

  /**
   * Learns from everything added so far, in which nothing changes.
   *
   * @param vocabularySize the most ids that the tokenizer has
   * @param specialTokens the contents of the special tokens, which get the ids from 0; the first is
   *     the one that ends a document
   * @return the tokenizer
   * @throws IllegalArgumentException if there is no special token, one is twice, has fewer than two
   *     bytes or an unpaired surrogate, or the vocabulary size is below their number + 256
   */
  public BytePairTokenizer train(int vocabularySize, List<String> specialTokens) {
    if (specialTokens.isEmpty()) {
      throw new IllegalArgumentException(
          "no special tokens; at least one is needed, to end a document, such as "
              + Tokenizer.END_OF_TEXT);
    }
    if (vocabularySize < specialTokens.size() + 256) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "vocabulary size (%d) must be at least %d: %d special and the 256 bytes",
              vocabularySize,
              specialTokens.size() + 256,
              specialTokens.size()));
    }
    MergeLearner learner = new MergeLearner(specialTokens, tieRule);
    learner.load(counts);
    learner.learn(vocabularySize, minimumFrequency);
    return learner.tokenizer();
  }
}
