package dev.spatz.tokenizer;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Turns token ids that arrive one at a time into text. A token may end inside a character; its
 * bytes are then held back until the character is complete, so that no piece of text ends in half a
 * character, nor in half a surrogate pair.
 *
 * <p>The pieces joined, with that of {@link #flush()}, are what {@link Tokenizer#decode} gives for
 * all the ids at once, also where the bytes are no UTF-8. Not safe for use by several threads.
 */
public final class StreamingDecoder {
  /** A character that is not complete yet has at most three bytes. */
  private static final int HELD_BACK = 3;

  private final TokenBytes tokens;
  private final CharsetDecoder utf8 =
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPLACE)
          .onUnmappableCharacter(CodingErrorAction.REPLACE);

  /** Between calls: the bytes held back, in the state for more to be put behind them. */
  private ByteBuffer bytes = ByteBuffer.allocate(64);

  /** How many bytes the text may still lose at its begin. */
  private int toStrip;

  StreamingDecoder(TokenBytes tokens) {
    this.tokens = tokens;
    toStrip = tokens.strip;
  }

  /**
   * Takes the next id.
   *
   * @param id a token id
   * @return the text that it made complete, which may be empty
   * @throws IllegalArgumentException if the id is outside the vocabulary; the decoder is as before
   */
  public String accept(int id) {
    tokens.requireId(id);
    if (bytes.remaining() < tokens.length(id)) {
      bytes = ByteBuffer.allocate(HELD_BACK + tokens.length(id)).put(bytes.flip());
    }
    int begin = bytes.position();
    tokens.copyTo(bytes, id);
    if (toStrip > 0) {
      strip(begin);
    }
    CharBuffer text = CharBuffer.allocate(bytes.position());
    utf8.decode(bytes.flip(), text, false);
    bytes.compact();
    return text.flip().toString();
  }

  /** Takes the bytes from {@code begin} on away that the text loses, which has none before. */
  private void strip(int begin) {
    int end = bytes.position();
    int from = begin;
    while (toStrip > 0 && from < end) {
      if (bytes.get(from) == tokens.stripped) {
        from++;
        toStrip--;
      } else {
        toStrip = 0;
      }
    }
    bytes.position(begin).put(begin, bytes, from, end - from).position(begin + end - from);
  }

  /**
   * Ends the text. The decoder is then ready for another text.
   *
   * @return U+FFFD if the text stopped inside a character, else nothing
   */
  public String flush() {
    CharBuffer text = CharBuffer.allocate(HELD_BACK);
    utf8.decode(bytes.flip(), text, true);
    utf8.flush(text);
    utf8.reset();
    bytes.clear();
    toStrip = tokens.strip;
    return text.flip().toString();
  }
}
