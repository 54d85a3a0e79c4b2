package dev.spatz.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;

/**
 * One id per Unicode code point. The characters have the ids from 0 in the order of their code
 * points; the end of a text has the id after them, so that a corpus of 65 characters has nanoGPT's
 * ids.
 */
public final class CharacterTokenizer implements Tokenizer {
  private final int[] codePoints;
  private final boolean beginsTexts;
  private final TokenBytes tokens;

  private CharacterTokenizer(int[] codePoints, boolean beginsTexts) {
    this.codePoints = codePoints;
    this.beginsTexts = beginsTexts;
    List<byte[]> bytes = new ArrayList<>();
    for (int codePoint : codePoints) {
      bytes.add(Character.toString(codePoint).getBytes(StandardCharsets.UTF_8));
    }
    bytes.add(new byte[0]);
    tokens = new TokenBytes(bytes);
  }

  /**
   * A tokenizer for the given characters.
   *
   * @param codePoints at least one code point, in any order
   * @return the tokenizer
   * @throws IllegalArgumentException if there is none, one is given twice, or one is a surrogate or
   *     outside Unicode
   */
  public static CharacterTokenizer of(int... codePoints) {
    if (codePoints.length == 0) {
      throw new IllegalArgumentException(
          "a character vocabulary is empty; it needs at least one character");
    }
    int[] sorted = codePoints.clone();
    Arrays.sort(sorted);
    for (int i = 0; i < sorted.length; i++) {
      int c = sorted[i];
      if (!Character.isValidCodePoint(c) || Character.getType(c) == Character.SURROGATE) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT, "U+%04X is not a character; characters are Unicode scalar values", c));
      }
      if (i > 0 && sorted[i - 1] == c) {
        throw new IllegalArgumentException(describe(c) + " is twice in the character vocabulary");
      }
    }
    return new CharacterTokenizer(sorted, false);
  }

  /**
   * A tokenizer for the characters that occur in a text.
   *
   * @param pieces the text in any number of pieces, none ending inside a surrogate pair
   * @return the tokenizer
   * @throws IllegalArgumentException if the text is empty or contains an unpaired surrogate; the
   *     message names its index in its piece
   */
  public static CharacterTokenizer learn(Iterable<? extends CharSequence> pieces) {
    BitSet seen = new BitSet();
    for (CharSequence piece : pieces) {
      Utf16.requirePairs(piece, 0, piece.length());
      piece.codePoints().forEach(seen::set);
    }
    return of(seen.stream().toArray());
  }

  /**
   * {@return what each id stands for, in the order of the ids: the characters, then the special
   * token's content}
   */
  public List<String> vocabulary() {
    List<String> vocabulary = new ArrayList<>(vocabularySize());
    for (int codePoint : codePoints) {
      vocabulary.add(Character.toString(codePoint));
    }
    vocabulary.add(END_OF_TEXT);
    return List.copyOf(vocabulary);
  }

  @Override
  public int vocabularySize() {
    return codePoints.length + 1;
  }

  @Override
  public int endOfText() {
    return codePoints.length;
  }

  /** This tokenizer, with its end-of-text token before every prompt. */
  public CharacterTokenizer withBeginOfText() {
    return new CharacterTokenizer(codePoints, true);
  }

  @Override
  public OptionalInt beginOfText() {
    return beginsTexts ? OptionalInt.of(endOfText()) : OptionalInt.empty();
  }

  @Override
  public List<SpecialToken> specialTokens() {
    return List.of(new SpecialToken(END_OF_TEXT, endOfText()));
  }

  @Override
  public int[] encode(CharSequence text) {
    int[] ids = new int[text.length()];
    int n = 0;
    for (int i = 0; i < text.length(); n++) {
      int codePoint = Character.codePointAt(text, i);
      int id = Arrays.binarySearch(codePoints, codePoint);
      if (id < 0) {
        Utf16.requirePairs(text, i, i + Character.charCount(codePoint));
        throw new IllegalArgumentException(
            describe(codePoint)
                + " at index "
                + i
                + " is not in the vocabulary of "
                + codePoints.length
                + " characters; remove it, learn the vocabulary from a text that contains it, or"
                + " use a byte pair tokenizer, which knows every character");
      }
      ids[n] = id;
      i += Character.charCount(codePoint);
    }
    return n == ids.length ? ids : Arrays.copyOf(ids, n);
  }

  @Override
  public int[] encode(CharSequence text, AllowedSpecial allowed) {
    return AddedTokenFinder.encode(text, allowed, specialTokens(), this::encode);
  }

  @Override
  public String decode(int... ids) {
    return tokens.decode(ids);
  }

  @Override
  public byte[] tokenBytes(int id) {
    return decode(id).getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public StreamingDecoder streamingDecoder() {
    return new StreamingDecoder(tokens);
  }

  /** {@inheritDoc} Every index is safe but one inside a surrogate pair. */
  @Override
  public int cut(CharSequence text) {
    return text.length() - (Utf16.endsInsideCharacter(text) ? 1 : 0);
  }

  /** What it is, for people. */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%,d characters, %s (%d) ends a text",
        codePoints.length,
        END_OF_TEXT,
        endOfText());
  }

  private static String describe(int codePoint) {
    return String.format(
        Locale.ROOT, "character U+%04X '%s'", codePoint, Character.toString(codePoint));
  }
}
