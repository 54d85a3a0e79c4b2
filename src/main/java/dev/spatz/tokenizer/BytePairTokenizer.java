package dev.spatz.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;

/**
 * Byte-level byte pair encoding, as in GPT-2: a text is cut into pre-tokens (about: words with
 * their leading space), and the UTF-8 bytes of each are merged in the order of the merges' ranks.
 * Every text has ids, whatever its language, since every byte has a token.
 *
 * <p>Texts without any place to cut, such as a million times one letter, cost n log n.
 *
 * @see <a href="https://aclanthology.org/P16-1162/">Sennrich, Haddow, Birch 2016: Neural Machine
 *     Translation of Rare Words with Subword Units</a>
 */
public final class BytePairTokenizer implements Tokenizer {
  private final List<byte[]> vocabulary;
  private final List<Merge> merges;
  private final List<SpecialToken> specialTokens;
  private final int endOfText;
  private final boolean beginsTexts;
  private final boolean endsTexts;

  private final TokenBytes texts;
  private final ByteLevelEncoder encoder;

  private BytePairTokenizer(Vocabulary checked, List<Merge> merges, String endOfText) {
    this.vocabulary = checked.tokens;
    this.merges = List.copyOf(merges);
    this.specialTokens = checked.specialTokens;
    this.endOfText = checked.specialId(endOfText);
    this.beginsTexts = false;
    this.endsTexts = false;
    texts = checked.texts();
    encoder =
        new ByteLevelEncoder(
            Splitter.GPT2,
            checked.byteIds(),
            new MergeTable(this.merges, checked.results(this.merges)),
            checked.ordinaryTokens(),
            false);
  }

  private BytePairTokenizer(BytePairTokenizer other, boolean beginsTexts, boolean endsTexts) {
    this.vocabulary = other.vocabulary;
    this.merges = other.merges;
    this.specialTokens = other.specialTokens;
    this.endOfText = other.endOfText;
    this.beginsTexts = beginsTexts;
    this.endsTexts = endsTexts;
    this.texts = other.texts;
    this.encoder = other.encoder;
  }

  /** This tokenizer, with its end-of-text token before every prompt. */
  public BytePairTokenizer withBeginOfText() {
    return new BytePairTokenizer(this, true, endsTexts);
  }

  /** This tokenizer, which {@link #endsTexts()}. */
  public BytePairTokenizer withEndOfText() {
    return new BytePairTokenizer(this, beginsTexts, true);
  }

  /**
   * A tokenizer whose documents end with the special token {@link Tokenizer#END_OF_TEXT}.
   *
   * @param vocabulary see {@link #of(List, List, Collection, String)}
   * @param merges see there
   * @param specialTokens see there
   * @return the tokenizer
   * @throws IllegalArgumentException as there
   */
  public static BytePairTokenizer of(
      List<byte[]> vocabulary, List<Merge> merges, Collection<SpecialToken> specialTokens) {
    return of(vocabulary, merges, specialTokens, END_OF_TEXT);
  }

  /**
   * A tokenizer with a given vocabulary.
   *
   * @param vocabulary the bytes of each token by id; at a special token's id its content in UTF-8
   * @param merges by rank, the first merge first
   * @param specialTokens in any order; those that are not in the vocabulary continue its ids
   * @param endOfText the content of the special token that ends a document
   * @return the tokenizer, with copies of what it was given
   * @throws IllegalArgumentException if an id has no token (null or no bytes), or two; if a token
   *     is there twice; if one of the 256 bytes has no token; if a merge is repeated, its parts are
   *     not in the vocabulary or are special tokens, or their joined bytes are no token; if there
   *     is no special token {@code endOfText}
   */
  public static BytePairTokenizer of(
      List<byte[]> vocabulary,
      List<Merge> merges,
      Collection<SpecialToken> specialTokens,
      String endOfText) {
    return new BytePairTokenizer(new Vocabulary(vocabulary, specialTokens), merges, endOfText);
  }

  /**
   * Learns a vocabulary from a text, with {@link Tokenizer#END_OF_TEXT} as the only special token;
   * {@link BytePairTrainer} has more choices.
   *
   * @param pieces documents, or pieces of them cut at {@link BytePairTrainer#cut}
   * @param vocabularySize the most ids that the tokenizer has, at least 257
   * @return the tokenizer; a small text gives it fewer ids
   * @throws IllegalArgumentException if the size is too small, or a piece contains an unpaired
   *     surrogate
   */
  public static BytePairTokenizer learn(
      Iterable<? extends CharSequence> pieces, int vocabularySize) {
    BytePairTrainer trainer = new BytePairTrainer();
    pieces.forEach(trainer::add);
    return trainer.train(vocabularySize, List.of(END_OF_TEXT));
  }

  @Override
  public int vocabularySize() {
    return vocabulary.size();
  }

  @Override
  public int endOfText() {
    return endOfText;
  }

  @Override
  public OptionalInt beginOfText() {
    return beginsTexts ? OptionalInt.of(endOfText) : OptionalInt.empty();
  }

  @Override
  public boolean endsTexts() {
    return endsTexts;
  }

  @Override
  public List<SpecialToken> specialTokens() {
    return specialTokens;
  }

  /** {@return the merges by rank} */
  public List<Merge> merges() {
    return merges;
  }

  /**
   * The bytes of a token; those of a special token are its content in UTF-8.
   *
   * @param id a token id
   * @return a copy of its bytes
   * @throws IllegalArgumentException if the id is outside the vocabulary
   */
  @Override
  public byte[] tokenBytes(int id) {
    texts.requireId(id);
    return vocabulary.get(id).clone();
  }

  @Override
  public int[] encode(CharSequence text) {
    IdList ids = new IdList(text.length());
    encoder.encode(Utf16.toUtf8(text.toString()), ids);
    return ids.toArray();
  }

  @Override
  public int[] encode(CharSequence text, AllowedSpecial allowed) {
    return AddedTokenFinder.encode(text, allowed, specialTokens, this::encode);
  }

  @Override
  public String decode(int... ids) {
    return texts.decode(ids);
  }

  @Override
  public StreamingDecoder streamingDecoder() {
    return new StreamingDecoder(texts);
  }

  /** {@inheritDoc} Found are the ends of words and of numbers, and any place before white space. */
  @Override
  public int cut(CharSequence text) {
    return Splitter.GPT2.lastCut(text);
  }

  /** What it is, for people. */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "byte-level BPE, %,d tokens, %,d merges, %s (%d) ends a text",
        vocabularySize(),
        merges.size(),
        new String(vocabulary.get(endOfText), StandardCharsets.UTF_8),
        endOfText);
  }

  PieceMerger merger() {
    return encoder.merger();
  }
}
