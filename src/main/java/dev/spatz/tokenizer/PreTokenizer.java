package dev.spatz.tokenizer;

import dev.spatz.tokenizer.SplitPattern.Range;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a normalized text into pre-tokens, over whose borders no token reaches: each part has the
 * meaning that it has in Hugging Face's {@code tokenizer.json}.
 */
public sealed interface PreTokenizer {
  /** The expression of a digit. */
  SplitPattern DIGITS = SplitPattern.regex("\\p{N}");

  /** Cuts nothing. */
  PreTokenizer NONE = new Sequence(List.of());

  /**
   * Cuts a text.
   *
   * @param text a text that is not empty
   * @param first whether the whole input begins with it
   * @return the pre-tokens in order, none empty
   */
  List<String> split(String text, boolean first);

  /** What splits a text into words that are then spelled as bytes, if it is written by hand. */
  default @Nullable Splitter byteLevelSplitter() {
    return null;
  }

  /** What cuts a text that continues another: it puts nothing before it. */
  default PreTokenizer continuing() {
    return this;
  }

  /** What becomes of the matches of a pattern. */
  enum Behavior {
    /** They are left out. */
    REMOVED,
    /** Each is a pre-token. */
    ISOLATED,
    /** Each ends the pre-token before it. */
    MERGED_WITH_PREVIOUS,
    /** Each begins the pre-token behind it. */
    MERGED_WITH_NEXT,
    /** Matches beside each other are one pre-token, and so is what lies between them. */
    CONTIGUOUS
  }

  /**
   * Cuts at the matches of a pattern.
   *
   * @param invert whether what lies between the matches counts as the matches
   */
  record Split(SplitPattern pattern, Behavior behavior, boolean invert) implements PreTokenizer {
    /** What {@code \w} matches in Rust, where the joiners are word characters. */
    private static final String WORD = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\u200C\u200D";

    /** Words and the punctuation between them; white space is left out. */
    public static final Split WHITESPACE =
        new Split(
            SplitPattern.regex("[" + WORD + "]+|[^" + WORD + "\\s]+"), Behavior.REMOVED, true);

    /** What is between white space. */
    public static final Split WHITESPACE_SPLIT =
        new Split(SplitPattern.regex("\\s"), Behavior.REMOVED, false);

    /** Whether a pre-token ends wherever a space follows, whatever the text. */
    boolean endsBeforeSpace() {
      return equals(WHITESPACE) || equals(WHITESPACE_SPLIT);
    }

    @Override
    public List<String> split(String text, boolean first) {
      List<String> pieces = new ArrayList<>();
      int start = 0; // of the pre-token that is not complete yet
      int from = 0;
      boolean before = false; // whether the part before was a match
      List<Range> matches = new ArrayList<>(pattern.matches(text));
      matches.add(new Range(text.length(), text.length()));
      for (Range match : matches) {
        if (from < match.start()) {
          start = part(text, start, from, match.start(), invert, before, pieces);
          before = invert;
        }
        if (match.start() < match.end()) {
          start = part(text, start, match.start(), match.end(), !invert, before, pieces);
          before = !invert;
        }
        from = match.end();
      }
      add(text, start, text.length(), pieces);
      return pieces;
    }

    /** The next part of the text; returns where the pre-token that is not complete begins. */
    private int part(
        String text,
        int start,
        int from,
        int to,
        boolean match,
        boolean before,
        List<String> pieces) {
      switch (behavior) {
        case REMOVED:
          add(text, start, from, pieces);
          return match ? to : from;
        case ISOLATED:
          add(text, start, from, pieces);
          return from;
        case CONTIGUOUS:
          if (match == before) {
            return start;
          }
          add(text, start, from, pieces);
          return from;
        case MERGED_WITH_PREVIOUS:
          // Two matches beside each other are two pre-tokens.
          if (match && !before) {
            add(text, start, to, pieces);
            return to;
          }
          add(text, start, from, pieces);
          return from;
        default:
          if (!match && before) {
            return start;
          }
          add(text, start, from, pieces);
          return from;
      }
    }

    private static void add(String text, int start, int end, List<String> pieces) {
      if (start < end) {
        pieces.add(text.substring(start, end));
      }
    }
  }

  /**
   * Spells the bytes of a text by {@link dev.spatz.tokenizer.ByteLevel} characters.
   *
   * @param addPrefixSpace whether a space goes before a text that begins with none
   * @param useRegex whether the text is cut as for GPT-2 before
   */
  record ByteLevel(boolean addPrefixSpace, boolean useRegex) implements PreTokenizer {
    @Override
    public List<String> split(String text, boolean first) {
      String whole = addPrefixSpace && !text.startsWith(" ") ? " " + text : text;
      List<String> pieces = useRegex ? Splitter.GPT2.split(whole) : List.of(whole);
      return pieces.stream().map(dev.spatz.tokenizer.ByteLevel::spell).toList();
    }

    @Override
    public ByteLevel continuing() {
      return new ByteLevel(false, useRegex);
    }

    @Override
    public @Nullable Splitter byteLevelSplitter() {
      return useRegex && !addPrefixSpace ? Splitter.GPT2 : null;
    }
  }

  /** Where a {@link Metaspace} puts its character before a text. */
  enum PrependScheme {
    /** Before each. */
    ALWAYS,
    /** Before the one that the input begins with. */
    FIRST,
    /** Nowhere. */
    NEVER
  }

  /**
   * Writes another character for U+0020, as SentencePiece does.
   *
   * @param replacement the character, usually U+2581
   * @param split whether a pre-token begins at each of them
   */
  record Metaspace(String replacement, PrependScheme scheme, boolean split)
      implements PreTokenizer {
    @Override
    public List<String> split(String text, boolean first) {
      String spelled = text.replace(" ", replacement);
      boolean prepend = scheme == PrependScheme.ALWAYS || scheme == PrependScheme.FIRST && first;
      if (prepend && !spelled.startsWith(replacement)) {
        spelled = replacement + spelled;
      }
      return split
          ? new Split(SplitPattern.literal(replacement), Behavior.MERGED_WITH_NEXT, false)
              .split(spelled, first)
          : List.of(spelled);
    }

    @Override
    public Metaspace continuing() {
      return new Metaspace(replacement, PrependScheme.NEVER, split);
    }
  }

  /** One after the other. */
  record Sequence(List<PreTokenizer> parts) implements PreTokenizer {
    /** Copies the parts. */
    public Sequence {
      parts = List.copyOf(parts);
    }

    @Override
    public List<String> split(String text, boolean first) {
      List<String> pieces = List.of(text);
      for (PreTokenizer part : parts) {
        List<String> next = new ArrayList<>();
        for (int i = 0; i < pieces.size(); i++) {
          next.addAll(part.split(pieces.get(i), first && i == 0));
        }
        pieces = next;
      }
      return pieces;
    }

    @Override
    public @Nullable Splitter byteLevelSplitter() {
      if (parts.size() != 2
          || !(parts.get(0) instanceof Split split)
          || split.behavior != Behavior.ISOLATED
          || !(parts.get(1) instanceof ByteLevel bytes)
          || bytes.addPrefixSpace) {
        return null;
      }
      if (!bytes.useRegex) {
        return split.pattern.splitter();
      }
      return split.pattern.equals(DIGITS) && !split.invert ? Splitter.DIGITS_GPT2 : null;
    }
  }
}
