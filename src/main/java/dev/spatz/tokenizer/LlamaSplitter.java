package dev.spatz.tokenizer;

import static dev.spatz.tokenizer.CharacterKinds.LETTER;
import static dev.spatz.tokenizer.CharacterKinds.NUMBER;
import static dev.spatz.tokenizer.CharacterKinds.OTHER;
import static dev.spatz.tokenizer.CharacterKinds.SPACE;
import static dev.spatz.tokenizer.CharacterKinds.endOfRun;

/**
 * The splitting of Llama 3:
 *
 * <pre>{@code
 * (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*
 * |\s*[\r\n]+|\s+(?!\S)|\s+
 * }</pre>
 *
 * <p>and of Qwen 2, with another number of digits.
 */
final class LlamaSplitter {
  private LlamaSplitter() {}

  /** The end of the pre-token that begins at {@code start}. */
  static int end(byte[] utf8, int start, int limit, int mostDigits) {
    byte first = utf8[start];
    byte kind = CharacterKinds.at(utf8, start);
    int next = CharacterKinds.next(utf8, start);
    if (kind == LETTER) {
      return endOfRun(utf8, next, limit, LETTER);
    }
    if (kind == NUMBER) {
      return endOfDigits(utf8, next, limit, mostDigits - 1);
    }
    if (first == '\'') {
      int end = endOfContraction(utf8, next, limit);
      if (end > 0) {
        return end;
      }
    }
    byte following = next < limit ? CharacterKinds.at(utf8, next) : -1;
    if (following == LETTER && !Splitter.isLineBreak(first)) {
      return endOfRun(utf8, next, limit, LETTER);
    }
    if (kind == OTHER || first == ' ' && following == OTHER) {
      int end = endOfRun(utf8, next, limit, OTHER);
      while (end < limit && Splitter.isLineBreak(utf8[end])) {
        end++;
      }
      return end;
    }
    return endOfSpaces(utf8, start, limit);
  }

  /** A run of spaces ends behind its last line break, or leaves its last space to a word. */
  private static int endOfSpaces(byte[] utf8, int start, int limit) {
    int end = endOfRun(utf8, start, limit, SPACE);
    for (int i = end; i > start; i--) {
      if (Splitter.isLineBreak(utf8[i - 1])) {
        return i;
      }
    }
    if (end == limit) {
      return end;
    }
    int last = Gpt2Splitter.startOfCharacter(utf8, end - 1);
    return last == start ? end : last;
  }

  private static int endOfDigits(byte[] utf8, int from, int limit, int most) {
    int end = from;
    for (int i = 0; i < most && end < limit; i++) {
      if (CharacterKinds.at(utf8, end) != NUMBER) {
        break;
      }
      end = CharacterKinds.next(utf8, end);
    }
    return end;
  }

  /** The end of what follows an apostrophe, in either case; 0 if it is no contraction. */
  private static int endOfContraction(byte[] utf8, int at, int limit) {
    switch (at < limit ? utf8[at] : 0) {
      case 's', 'S', 't', 'T', 'm', 'M', 'd', 'D':
        return at + 1;
      case 'r', 'R', 'v', 'V':
        return isEither(utf8, at + 1, limit, 'e') ? at + 2 : 0;
      case 'l', 'L':
        return isEither(utf8, at + 1, limit, 'l') ? at + 2 : 0;
      case (byte) 0xC5: // U+017F, an s without case
        return utf8[at + 1] == (byte) 0xBF ? at + 2 : 0;
      default:
        return 0;
    }
  }

  private static boolean isEither(byte[] utf8, int at, int limit, char lower) {
    return at < limit && (utf8[at] | 0x20) == lower;
  }
}
