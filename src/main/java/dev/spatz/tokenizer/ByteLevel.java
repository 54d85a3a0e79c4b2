package dev.spatz.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;

/**
 * GPT-2's spelling of bytes as printable characters, in which {@code vocab.json}, {@code
 * merges.txt} and {@code tokenizer.json} write the tokens of a byte-level vocabulary.
 *
 * <p>The bytes 0x21–0x7E, 0xA1–0xAC and 0xAE–0xFF stand for themselves; the other 68, in order, are
 * U+0100 to U+0143 (a space is {@code Ġ}, U+0120).
 *
 * @see <a href="https://github.com/openai/gpt-2/blob/master/src/encoder.py">GPT-2's encoder.py</a>
 */
public final class ByteLevel {
  private static final char[] CHARACTERS = new char[256];
  private static final short[] BYTES = new short[0x144];

  static {
    Arrays.fill(BYTES, (short) -1);
    char next = 0x100;
    for (int b = 0; b < 256; b++) {
      boolean printable =
          b >= 0x21 && b <= 0x7E || b >= 0xA1 && b <= 0xAC || b >= 0xAE && b <= 0xFF;
      CHARACTERS[b] = printable ? (char) b : next++;
      BYTES[CHARACTERS[b]] = (short) b;
    }
  }

  private ByteLevel() {}

  /**
   * Spells bytes, each by one character.
   *
   * @param bytes any bytes
   * @return as many characters
   */
  public static String toCharacters(byte... bytes) {
    StringBuilder text = new StringBuilder(bytes.length);
    for (byte b : bytes) {
      text.append(CHARACTERS[b & 0xFF]);
    }
    return text.toString();
  }

  /** Spells the bytes of a text in UTF-8. */
  static String spell(String text) {
    return toCharacters(text.getBytes(StandardCharsets.UTF_8));
  }

  /** Whether a text consists of the 256 characters. */
  static boolean spells(String text) {
    return text.chars().allMatch(c -> c < BYTES.length && BYTES[c] >= 0);
  }

  /**
   * Reads spelled bytes, each from one character.
   *
   * @param characters some of the 256 characters, such as a token in {@code vocab.json}
   * @return as many bytes
   * @throws IllegalArgumentException if a character is none of the 256; the message names it
   */
  public static byte[] toBytes(CharSequence characters) {
    byte[] bytes = new byte[characters.length()];
    for (int i = 0; i < bytes.length; i++) {
      char c = characters.charAt(i);
      if (c >= BYTES.length || BYTES[c] < 0) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "'%s' has U+%04X at index %d, which spells no byte; byte-level tokens consist of"
                    + " the 256 characters of GPT-2's byte alphabet",
                characters,
                (int) c,
                i));
      }
      bytes[i] = (byte) BYTES[c];
    }
    return bytes;
  }

  /** The 256 bytes in the order of the code points of their characters. */
  static byte[] alphabet() {
    byte[] alphabet = new byte[256];
    int n = 0;
    for (short b : BYTES) {
      if (b >= 0) {
        alphabet[n++] = (byte) b;
      }
    }
    return alphabet;
  }
}
