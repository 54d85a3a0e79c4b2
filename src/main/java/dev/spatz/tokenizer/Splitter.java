package dev.spatz.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a text into pre-tokens, over whose borders no token reaches, as published models do: the
 * regular expressions of these, with Unicode's classes, written by hand. A regular expression
 * backtracks on long runs of white space, and costs several times the rest of the encoding.
 */
enum Splitter {
  /** {@link #GPT2_EXPRESSION}. */
  GPT2,

  /** The same between digits, each of which stands alone (SmolLM, StarCoder). */
  DIGITS_GPT2,

  /** {@link #LLAMA3_EXPRESSION}. */
  LLAMA3,

  /** {@link #QWEN2_EXPRESSION}. */
  QWEN2;

  /** GPT-2's expression. */
  static final String GPT2_EXPRESSION =
      "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

  private static final String CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
  private static final String WORDS = "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}";
  private static final String REST =
      "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

  /** The expression of Llama 3: a number is cut after every third digit. */
  static final String LLAMA3_EXPRESSION = CONTRACTIONS + WORDS + "{1,3}" + REST;

  /** The expression of Qwen 2: each digit stands alone. */
  static final String QWEN2_EXPRESSION = CONTRACTIONS + WORDS + REST;

  /** Llama 3's expression as tiktoken has it for cl100k. */
  private static final String CL100K_EXPRESSION =
      "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}"
          + "| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+";

  /** The splitter that does what a regular expression says, or null. */
  static @Nullable Splitter of(String expression) {
    return switch (expression) {
      case GPT2_EXPRESSION -> GPT2;
      case LLAMA3_EXPRESSION, CL100K_EXPRESSION -> LLAMA3;
      case QWEN2_EXPRESSION -> QWEN2;
      default -> null;
    };
  }

  /**
   * The end of the pre-token that begins at {@code start}.
   *
   * @param utf8 a well-formed text, which ends at {@code limit}
   */
  int end(byte[] utf8, int start, int limit) {
    return switch (this) {
      case GPT2 -> Gpt2Splitter.end(utf8, start, limit, false);
      case DIGITS_GPT2 -> Gpt2Splitter.end(utf8, start, limit, true);
      case LLAMA3 -> LlamaSplitter.end(utf8, start, limit, 3);
      case QWEN2 -> LlamaSplitter.end(utf8, start, limit, 1);
    };
  }

  /** The pre-tokens of a well-formed text. */
  List<String> split(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    List<String> pieces = new ArrayList<>();
    for (int start = 0, end; start < utf8.length; start = end) {
      end = end(utf8, start, utf8.length);
      pieces.add(new String(utf8, start, end - start, StandardCharsets.UTF_8));
    }
    return pieces;
  }

  /**
   * The last index at which a text may be cut so that no pre-token of the whole crosses it and none
   * changes, whatever follows the text; 0 if there is none.
   *
   * <p>Safe is the end of a run of letters or of numbers, and the end of a run of other characters
   * before white space (for Llama 3 and Qwen 2: that is no line break): only white space looks
   * ahead, and only a leading character, an apostrophe or line breaks join what follows.
   */
  int lastCut(CharSequence text) {
    return lastCut(text, text.length());
  }

  /** The last such index of the text that ends at {@code end}. */
  int lastCut(CharSequence text, int end) {
    int i = end > 0 && Character.isHighSurrogate(text.charAt(end - 1)) ? end - 1 : end;
    int next = -1;
    byte following = -1;
    while (i > 0) {
      int c = Character.codePointBefore(text, i);
      byte kind = CharacterKinds.of(c);
      if (following >= 0 && following != kind) {
        if (kind == CharacterKinds.LETTER || kind == CharacterKinds.NUMBER) {
          return i;
        }
        if (following == CharacterKinds.SPACE && !(joinsLineBreaks() && isLineBreak(next))) {
          return i;
        }
      }
      following = kind;
      next = c;
      i -= Character.charCount(c);
    }
    return 0;
  }

  private boolean joinsLineBreaks() {
    return this == LLAMA3 || this == QWEN2;
  }

  static boolean isLineBreak(int c) {
    return c == '\r' || c == '\n';
  }
}
