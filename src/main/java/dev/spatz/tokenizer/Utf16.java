package dev.spatz.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** Checks of Java strings, which may be malformed UTF-16. */
final class Utf16 {
  private Utf16() {}

  /** Refuses an unpaired surrogate in {@code text[start, end)}, naming its index in the text. */
  static void requirePairs(CharSequence text, int start, int end) {
    for (int i = start; i < end; i++) {
      char c = text.charAt(i);
      if (!Character.isSurrogate(c)) {
        continue;
      }
      if (Character.isLowSurrogate(c)
          || i + 1 == end
          || !Character.isLowSurrogate(text.charAt(i + 1))) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "unpaired surrogate U+%04X at index %d; a text is well-formed UTF-16 (was it cut"
                    + " inside a character, or decoded wrongly?)",
                (int) c,
                i));
      }
      i++;
    }
  }

  /** The bytes of a text in UTF-8, which refuses an unpaired surrogate. */
  static byte[] toUtf8(String text) {
    requirePairs(text, 0, text.length());
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** Whether the text ends in the first half of a character whose second half may follow. */
  static boolean endsInsideCharacter(CharSequence text) {
    return text.length() > 0 && Character.isHighSurrogate(text.charAt(text.length() - 1));
  }
}
