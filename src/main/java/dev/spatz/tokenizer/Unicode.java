package dev.spatz.tokenizer;

/** Properties of characters that Java's {@link Character} defines differently. */
final class Unicode {
  private Unicode() {}

  /** Unicode's property White_Space. */
  static boolean isWhiteSpace(int codePoint) {
    return Character.isSpaceChar(codePoint)
        || codePoint >= 0x09 && codePoint <= 0x0D
        || codePoint == 0x85;
  }

  /** What {@code \w} is in Unicode's recommendation for regular expressions (UTS 18, annex C). */
  static boolean isWord(int codePoint) {
    int type = Character.getType(codePoint);
    return Character.isAlphabetic(codePoint)
        || type == Character.NON_SPACING_MARK
        || type == Character.ENCLOSING_MARK
        || type == Character.COMBINING_SPACING_MARK
        || type == Character.DECIMAL_DIGIT_NUMBER
        || type == Character.CONNECTOR_PUNCTUATION
        || codePoint == 0x200C
        || codePoint == 0x200D;
  }
}
