package dev.spatz.tokenizer;

import static dev.spatz.tokenizer.CharacterKinds.NUMBER;
import static dev.spatz.tokenizer.CharacterKinds.OTHER;
import static dev.spatz.tokenizer.CharacterKinds.SPACE;
import static dev.spatz.tokenizer.CharacterKinds.endOfRun;

/**
 * GPT-2's splitting:
 *
 * <pre>{@code
 * 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 * }</pre>
 */
final class Gpt2Splitter {
  private Gpt2Splitter() {}

  /**
   * The end of the pre-token that begins at {@code start}.
   *
   * @param digitsAlone whether each digit is cut off before, so that text ends at it
   */
  static int end(byte[] utf8, int start, int limit, boolean digitsAlone) {
    byte first = utf8[start];
    byte kind = CharacterKinds.at(utf8, start);
    int next = CharacterKinds.next(utf8, start);
    if (kind == SPACE) {
      byte following = next < limit ? CharacterKinds.at(utf8, next) : SPACE;
      if (first == ' ' && following != SPACE && !(digitsAlone && following == NUMBER)) {
        return endOfRun(utf8, next, limit, following);
      }
      return endOfSpaces(utf8, start, limit, digitsAlone);
    }
    if (digitsAlone && kind == NUMBER) {
      return next;
    }
    return first == '\''
        ? endAfterApostrophe(utf8, next, limit)
        : endOfRun(utf8, next, limit, kind);
  }

  /** Of several spaces before a word, the last is left to the word, or stands alone. */
  private static int endOfSpaces(byte[] utf8, int start, int limit, boolean digitsAlone) {
    int end = endOfRun(utf8, start, limit, SPACE);
    if (end == limit || digitsAlone && CharacterKinds.at(utf8, end) == NUMBER) {
      return end;
    }
    int last = startOfCharacter(utf8, end - 1);
    return last == start ? end : last;
  }

  static int startOfCharacter(byte[] utf8, int within) {
    int i = within;
    while ((utf8[i] & 0xC0) == 0x80) {
      i--;
    }
    return i;
  }

  private static int endAfterApostrophe(byte[] utf8, int next, int limit) {
    switch (next < limit ? utf8[next] : 0) {
      case 's', 't', 'm', 'd':
        return next + 1;
      case 'r', 'v':
        return followedBy(utf8, next, limit, 'e') ? next + 2 : next;
      case 'l':
        return followedBy(utf8, next, limit, 'l') ? next + 2 : next;
      default:
        return endOfRun(utf8, next, limit, OTHER);
    }
  }

  private static boolean followedBy(byte[] utf8, int index, int limit, char c) {
    return index + 1 < limit && utf8[index + 1] == c;
  }
}
