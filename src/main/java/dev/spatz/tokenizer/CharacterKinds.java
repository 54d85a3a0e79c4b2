package dev.spatz.tokenizer;

/**
 * What the splitters tell apart, in well-formed UTF-8: letters (Unicode's category L), numbers (N),
 * white space, and all other characters.
 */
final class CharacterKinds {
  static final byte OTHER = 0;
  static final byte LETTER = 1;
  static final byte NUMBER = 2;
  static final byte SPACE = 3;

  private static final int LETTERS =
      1 << Character.UPPERCASE_LETTER
          | 1 << Character.LOWERCASE_LETTER
          | 1 << Character.TITLECASE_LETTER
          | 1 << Character.MODIFIER_LETTER
          | 1 << Character.OTHER_LETTER;
  private static final int NUMBERS =
      1 << Character.DECIMAL_DIGIT_NUMBER
          | 1 << Character.LETTER_NUMBER
          | 1 << Character.OTHER_NUMBER;

  /** The kinds of the characters below U+10000. */
  private static final byte[] KINDS = new byte[1 << 16];

  static {
    for (int c = 0; c < KINDS.length; c++) {
      KINDS[c] = classify(c);
    }
  }

  private CharacterKinds() {}

  static byte of(int codePoint) {
    return codePoint < KINDS.length ? KINDS[codePoint] : classify(codePoint);
  }

  /** The kind of the character that begins at {@code i}. */
  static byte at(byte[] utf8, int i) {
    byte b = utf8[i];
    return b >= 0 ? KINDS[b] : of(codePoint(utf8, i));
  }

  /** Where the character ends that begins at {@code i}. */
  static int next(byte[] utf8, int i) {
    byte b = utf8[i];
    return b >= 0 ? i + 1 : i + length(b);
  }

  /** The end of the characters of one kind from an index on. */
  static int endOfRun(byte[] utf8, int from, int limit, byte kind) {
    int i = from;
    while (i < limit) {
      byte b = utf8[i];
      if (b >= 0) {
        if (KINDS[b] != kind) {
          return i;
        }
        i++;
      } else {
        if (of(codePoint(utf8, i)) != kind) {
          return i;
        }
        i += length(b);
      }
    }
    return i;
  }

  /** The number of bytes of a character whose first byte is not ASCII. */
  private static int length(byte first) {
    return first < (byte) 0xE0 ? 2 : first < (byte) 0xF0 ? 3 : 4;
  }

  private static int codePoint(byte[] utf8, int i) {
    byte first = utf8[i];
    if (first < (byte) 0xE0) {
      return (first & 0x1F) << 6 | utf8[i + 1] & 0x3F;
    }
    if (first < (byte) 0xF0) {
      return (first & 0x0F) << 12 | (utf8[i + 1] & 0x3F) << 6 | utf8[i + 2] & 0x3F;
    }
    return (first & 0x07) << 18
        | (utf8[i + 1] & 0x3F) << 12
        | (utf8[i + 2] & 0x3F) << 6
        | utf8[i + 3] & 0x3F;
  }

  private static byte classify(int codePoint) {
    int category = 1 << Character.getType(codePoint);
    if ((category & LETTERS) != 0) {
      return LETTER;
    }
    if ((category & NUMBERS) != 0) {
      return NUMBER;
    }
    return Unicode.isWhiteSpace(codePoint) ? SPACE : OTHER;
  }
}
