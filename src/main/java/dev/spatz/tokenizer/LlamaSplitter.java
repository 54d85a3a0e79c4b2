package dev.spatz.tokenizer;

/**
 * Cuts a text into pre-tokens as Llama 3 and Qwen 2 do. It is the regular expression
 *
 * <pre>{@code
 * (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*
 * |\s*[\r\n]+|\s+(?!\S)|\s+
 * }</pre>
 *
 * <p>with another number of digits for Qwen 2, written by hand for the reasons of {@link
 * Gpt2Splitter}.
 */
final class LlamaSplitter {
  private static final String CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
  private static final String WORDS = "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}";
  private static final String REST =
      "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

  /** The expression of Llama 3. */
  static final String THREE_DIGITS = CONTRACTIONS + WORDS + "{1,3}" + REST;

  /** The expression of Qwen 2. */
  static final String ONE_DIGIT = CONTRACTIONS + WORDS + REST;

  private LlamaSplitter() {}

  /** End of the pre-token that begins at {@code start}, which lies inside the text. */
  static int end(String text, int start, int mostDigits) {
    int first = text.codePointAt(start);
    byte kind = Gpt2Splitter.kind(first);
    int next = start + Character.charCount(first);
    if (kind == Gpt2Splitter.LETTER) {
      return Gpt2Splitter.endOfRun(text, next, kind);
    }
    if (kind == Gpt2Splitter.NUMBER) {
      return endOfDigits(text, next, mostDigits - 1);
    }
    if (first == '\'') {
      int end = endOfContraction(text, next);
      if (end > 0) {
        return end;
      }
    }
    byte following = next < text.length() ? Gpt2Splitter.kind(text.codePointAt(next)) : -1;
    if (following == Gpt2Splitter.LETTER && first != '\r' && first != '\n') {
      return Gpt2Splitter.endOfRun(text, next, following);
    }
    if (kind == Gpt2Splitter.OTHER || first == ' ' && following == Gpt2Splitter.OTHER) {
      int end = Gpt2Splitter.endOfRun(text, next, Gpt2Splitter.OTHER);
      while (end < text.length() && isNewline(text.charAt(end))) {
        end++;
      }
      return end;
    }
    return endOfSpaces(text, start, next);
  }

  /** A run of spaces ends behind its last line break, or leaves its last space to a word. */
  private static int endOfSpaces(String text, int start, int next) {
    int end = Gpt2Splitter.endOfRun(text, next, Gpt2Splitter.SPACE);
    for (int i = end; i > start; i--) {
      if (isNewline(text.charAt(i - 1))) {
        return i;
      }
    }
    return end == text.length() || end == next ? end : end - 1;
  }

  private static int endOfDigits(String text, int from, int most) {
    int end = from;
    for (int i = 0; i < most && end < text.length(); i++) {
      int codePoint = text.codePointAt(end);
      if (Gpt2Splitter.kind(codePoint) != Gpt2Splitter.NUMBER) {
        break;
      }
      end += Character.charCount(codePoint);
    }
    return end;
  }

  /** The end of what follows an apostrophe, in either case; 0 if it is no contraction. */
  private static int endOfContraction(String text, int at) {
    switch (at < text.length() ? text.charAt(at) : 0) {
      case 's', 'S', 't', 'T', 'm', 'M', 'd', 'D', '\u017F': // the last is an s without case
        return at + 1;
      case 'r', 'R', 'v', 'V':
        return isEither(text, at + 1, 'e') ? at + 2 : 0;
      case 'l', 'L':
        return isEither(text, at + 1, 'l') ? at + 2 : 0;
      default:
        return 0;
    }
  }

  private static boolean isEither(String text, int at, char lower) {
    return at < text.length() && (text.charAt(at) | 0x20) == lower;
  }

  private static boolean isNewline(char c) {
    return c == '\r' || c == '\n';
  }
}
