package dev.spatz.tokenizer;

/**
 * Turns text into token ids and back. Implementations are immutable and safe for use by many
 * threads.
 *
 * <p>Every well-formed text round-trips: {@code decode(encode(text))} equals {@code text}. Special
 * tokens, such as {@link #endOfText()}, never come out of {@link #encode}: their spelling in a text
 * is ordinary text, so that a prompt cannot smuggle one in.
 */
public sealed interface Tokenizer permits BytePairTokenizer, CharacterTokenizer {

  /** The number of ids; ids are 0 to {@code vocabularySize() - 1}. */
  int vocabularySize();

  /** The id of the token that ends a document. */
  int endOfText();

  /**
   * Token ids of a text.
   *
   * @throws IllegalArgumentException if the text contains an unpaired surrogate, or a character
   *     that this tokenizer has no id for; the message names it and its index
   */
  int[] encode(CharSequence text);

  /**
   * Text of token ids; special tokens add nothing, bytes that are no UTF-8 become U+FFFD.
   *
   * @throws IllegalArgumentException if an id is outside the vocabulary
   */
  String decode(int... ids);

  /** A decoder for ids that arrive one at a time; it never emits half a character. */
  StreamingDecoder streamingDecoder();
}
