package dev.spatz.dataset;

/** UTF-16 strings can be malformed, too: half a surrogate pair is no character. */
final class Surrogates {
  private Surrogates() {}

  /** The index of the first surrogate that is not part of a pair, or -1. */
  static int indexOfUnpaired(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isSurrogate(c)) {
        if (Character.isLowSurrogate(c)
            || i + 1 == text.length()
            || !Character.isLowSurrogate(text.charAt(i + 1))) {
          return i;
        }
        i++;
      }
    }
    return -1;
  }
}
