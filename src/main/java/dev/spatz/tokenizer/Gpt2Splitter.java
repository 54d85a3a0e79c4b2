package dev.spatz.tokenizer;

/**
 * Cuts a text into pre-tokens, over whose borders no token reaches, as GPT-2 does. It is the
 * regular expression
 *
 * <pre>{@code
 * 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 * }</pre>
 *
 * <p>with Unicode's classes, written by hand: a regular expression backtracks on long runs of white
 * space, and costs several times the rest of the encoding.
 */
final class Gpt2Splitter {
  /** The expression. */
  static final String EXPRESSION =
      "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

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

  private static final byte[] ASCII = new byte[128];

  static {
    for (int c = 0; c < ASCII.length; c++) {
      ASCII[c] = classify(c);
    }
  }

  private Gpt2Splitter() {}

  /** End of the pre-token that begins at {@code start}, which lies inside the text. */
  static int end(String text, int start) {
    int first = text.codePointAt(start);
    byte kind = kind(first);
    int next = start + Character.charCount(first);
    if (kind == SPACE) {
      byte following;
      if (first == ' '
          && next < text.length()
          && (following = kind(text.codePointAt(next))) != SPACE) {
        return endOfRun(text, next, following);
      }
      // Of several spaces before a word, the last is left to the word, or stands alone if it is no
      // U+0020. White space is one char per code point.
      int end = endOfRun(text, next, SPACE);
      return end == text.length() || end == next ? end : end - 1;
    }
    return first == '\'' ? endAfterApostrophe(text, start) : endOfRun(text, next, kind);
  }

  /**
   * The last index at which the text may be cut so that no pre-token of the whole crosses it and
   * none changes, whatever follows the text; 0 if there is none.
   *
   * <p>Safe is the end of a run of letters or of numbers, and the end of a run of other characters
   * before white space: only white space looks ahead, and only a leading space, or an apostrophe,
   * joins what follows.
   */
  static int lastCut(CharSequence text) {
    int i = text.length() - (Utf16.endsInsideCharacter(text) ? 1 : 0);
    byte following = -1;
    while (i > 0) {
      int c = Character.codePointBefore(text, i);
      byte kind = kind(c);
      if (following >= 0
          && following != kind
          && (kind == LETTER || kind == NUMBER || following == SPACE)) {
        return i;
      }
      following = kind;
      i -= Character.charCount(c);
    }
    return 0;
  }

  /** The end of the characters of one kind from an index on. */
  static int endOfRun(String text, int from, byte kind) {
    int i = from;
    while (i < text.length()) {
      char c = text.charAt(i);
      if (c < ASCII.length) {
        if (ASCII[c] != kind) {
          return i;
        }
        i++;
      } else {
        int codePoint = text.codePointAt(i);
        if (classify(codePoint) != kind) {
          return i;
        }
        i += Character.charCount(codePoint);
      }
    }
    return i;
  }

  private static int endAfterApostrophe(String text, int start) {
    int next = start + 1;
    switch (next < text.length() ? text.charAt(next) : 0) {
      case 's', 't', 'm', 'd':
        return next + 1;
      case 'r', 'v':
        return followedBy(text, next, 'e') ? next + 2 : next;
      case 'l':
        return followedBy(text, next, 'l') ? next + 2 : next;
      default:
        return endOfRun(text, next, OTHER);
    }
  }

  private static boolean followedBy(String text, int index, char c) {
    return index + 1 < text.length() && text.charAt(index + 1) == c;
  }

  static byte kind(int codePoint) {
    return codePoint < ASCII.length ? ASCII[codePoint] : classify(codePoint);
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
