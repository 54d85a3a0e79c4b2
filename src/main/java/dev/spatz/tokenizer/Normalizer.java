package dev.spatz.tokenizer;

import java.text.Normalizer.Form;
import java.util.List;

/**
 * What happens to a text before it is split: each part has the meaning that it has in Hugging
 * Face's {@code tokenizer.json}.
 */
public sealed interface Normalizer {
  /** Leaves a text as it is. */
  Normalizer NONE = new Sequence(List.of());

  /** {@return the text changed} */
  String normalize(String text);

  /** What happens to a text that continues another: nothing is put before it. */
  default Normalizer continuing() {
    return this;
  }

  /** One of Unicode's normalization forms. */
  record Unicode(Form form) implements Normalizer {
    @Override
    public String normalize(String text) {
      return java.text.Normalizer.normalize(text, form);
    }
  }

  /** Small letters, each character for itself. */
  record Lowercase() implements Normalizer {
    @Override
    public String normalize(String text) {
      StringBuilder lower = new StringBuilder(text.length());
      text.codePoints()
          .forEach(
              c -> {
                lower.appendCodePoint(Character.toLowerCase(c));
                if (c == 0x130) { // the only one that becomes two
                  lower.append('\u0307');
                }
              });
      return lower.toString();
    }
  }

  /** Puts something before a text, unless it is empty. */
  record Prepend(String prefix) implements Normalizer {
    @Override
    public String normalize(String text) {
      return text.isEmpty() ? text : prefix + text;
    }

    @Override
    public Normalizer continuing() {
      return NONE;
    }
  }

  /** Puts something in the place of each match. */
  record Replace(SplitPattern pattern, String content) implements Normalizer {
    @Override
    public String normalize(String text) {
      return pattern.replace(text, content);
    }
  }

  /** Takes white space away at the ends. */
  record Strip(boolean left, boolean right) implements Normalizer {
    @Override
    public String normalize(String text) {
      int start = 0;
      int end = text.length();
      while (left && start < end && isSpace(text.charAt(start))) {
        start++;
      }
      while (right && start < end && isSpace(text.charAt(end - 1))) {
        end--;
      }
      return text.substring(start, end);
    }

    private static boolean isSpace(char c) {
      return dev.spatz.tokenizer.Unicode.isWhiteSpace(c);
    }
  }

  /** One after the other. */
  record Sequence(List<Normalizer> parts) implements Normalizer {
    /** Copies the parts. */
    public Sequence {
      parts = List.copyOf(parts);
    }

    @Override
    public String normalize(String text) {
      String result = text;
      for (Normalizer part : parts) {
        result = part.normalize(result);
      }
      return result;
    }

    @Override
    public Normalizer continuing() {
      return new Sequence(parts.stream().map(Normalizer::continuing).toList());
    }
  }
}
