package dev.spatz.tokenizer;

import java.util.List;
import java.util.OptionalInt;

/**
 * Turns text into token ids and back. Implementations are immutable and safe for use by many
 * threads.
 *
 * <p>Every well-formed text round-trips, {@code decode(encode(text))} equals {@code text}, but for
 * a {@link PipelineTokenizer}'s whose parts change it. Special tokens, such as {@link
 * #endOfText()}, never come out of {@link #encode}: their spelling in a text is ordinary text, so
 * that a prompt cannot smuggle one in.
 */
public sealed interface Tokenizer permits BytePairTokenizer, CharacterTokenizer, PipelineTokenizer {

  /** The usual spelling of the special token that ends a document. */
  String END_OF_TEXT = "<|endoftext|>";

  /** {@return the number of ids; ids are 0 to {@code vocabularySize() - 1}} */
  int vocabularySize();

  /** {@return the id of the token that ends a document} */
  int endOfText();

  /**
   * The id that stands before every prompt, if there is one. A model of many documents has learned
   * that after an end-of-text token a document begins, so it is told that one begins; a model of a
   * single text has never seen that token.
   */
  OptionalInt beginOfText();

  /**
   * Whether the tokenizer's files end every text with {@link #endOfText()}, as {@code
   * add_eos_token} asks. A corpus's documents always are; a prompt never is, since a model has
   * nothing to continue then. So this is kept for those who read the files again.
   */
  default boolean endsTexts() {
    return false;
  }

  /** {@return the special tokens by rising id, the one that ends a document among them} */
  List<SpecialToken> specialTokens();

  /**
   * Turns text into token ids.
   *
   * @param text any well-formed text
   * @return its ids, none of a special token; an array of the caller's
   * @throws IllegalArgumentException if the text contains an unpaired surrogate, or a character
   *     that this tokenizer has no id for; the message names it and its index
   */
  int[] encode(CharSequence text);

  /**
   * Turns text into token ids, the spelling of some special tokens into theirs.
   *
   * @param text any well-formed text
   * @param allowed the special tokens that are found in it
   * @return its ids; an array of the caller's
   * @throws IllegalArgumentException as {@link #encode(CharSequence)}
   */
  int[] encode(CharSequence text, AllowedSpecial allowed);

  /**
   * Encodes a text that continues another, which was cut at a {@link #cut}: what some tokenizers
   * put before a text is not put before it.
   *
   * @param text any well-formed text
   * @return as {@link #encode(CharSequence)}
   * @throws IllegalArgumentException as there
   */
  default int[] encodeContinuation(CharSequence text) {
    return encode(text);
  }

  /**
   * Encodes many texts at once, on all cores.
   *
   * @param texts any well-formed texts
   * @return the ids of each, in their order
   * @throws IllegalArgumentException as {@link #encode(CharSequence)}
   */
  default List<int[]> encodeBatch(List<? extends CharSequence> texts) {
    return encodeBatch(texts, Runtime.getRuntime().availableProcessors());
  }

  /**
   * Encodes many texts at once.
   *
   * @param texts any well-formed texts
   * @param threads that encode, the calling one among them; at least 1
   * @return the ids of each, in their order
   * @throws IllegalArgumentException as {@link #encode(CharSequence)}, for the first text that is
   *     refused; or if threads is not positive
   */
  default List<int[]> encodeBatch(List<? extends CharSequence> texts, int threads) {
    return BatchEncoder.encode(this, texts, threads);
  }

  /**
   * Turns token ids into text. Special tokens add nothing; bytes that are no UTF-8 become U+FFFD,
   * as in {@code new String(bytes, UTF_8)}.
   *
   * @param ids ids in any order
   * @return the text that they spell
   * @throws IllegalArgumentException if an id is outside the vocabulary
   */
  String decode(int... ids);

  /**
   * The bytes that a token adds to a text, in UTF-8; they may be a part of a character. What {@link
   * #decode} takes from the beginning of a text is there. Those of a special token are of no use.
   *
   * @param id a token id
   * @return bytes of the caller's
   * @throws IllegalArgumentException if the id is outside the vocabulary
   */
  byte[] tokenBytes(int id);

  /** {@return a new decoder for ids that arrive one at a time; it never emits half a character} */
  StreamingDecoder streamingDecoder();

  /**
   * The last index found at which the text may be cut without changing its ids: those of the part
   * before it, followed by those that {@link #encodeContinuation} gives the part after it, are
   * those of the whole, whatever text follows later. Long texts are so encoded in pieces.
   *
   * @param text a text, or as much of it as is there; it may end inside a surrogate pair
   * @return the index, at most the length of the text; 0 if no place is safe yet
   */
  int cut(CharSequence text);
}
