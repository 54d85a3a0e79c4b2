package dev.spatz.tokenizer;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds places at which a text of a {@link PipelineTokenizer} may be cut, so that long documents
 * are encoded in pieces: between two pre-tokens, or where a space begins that no merge joins to
 * what is before it. No added token may touch the place, and no normalizer look over it.
 *
 * <p>Of tokenizers with other parts, such as a regular expression of their own, it knows no place.
 */
final class PipelineCuts {
  private static final int NOWHERE = 0;

  /** What normalizers make of a character, from or to at most so many. */
  private static final int GROWTH = 18;

  /** Characters beside a place that are seen to be normalized already; none joins so many. */
  private static final int AROUND = 64;

  private final Normalizer normalizer;
  private final AddedTokenFinder inText;
  private final AddedTokenFinder inNormalized;
  private final boolean anywhere;
  private final boolean looksAround;
  private final @Nullable Splitter splitter;

  /** What a space is spelled as, where texts are cut before spaces; else null. */
  private final @Nullable String space;

  PipelineCuts(
      PipelineTokenizer.Parts parts, AddedTokenFinder inText, AddedTokenFinder inNormalized) {
    normalizer = parts.normalizer().continuing();
    this.inText = inText;
    this.inNormalized = inNormalized;
    PreTokenizer preTokenizer = parts.preTokenizer().continuing();
    String spelled = normalizer.normalize(" ");
    boolean spelledAnew = !spelled.equals(" ");
    looksAround = looksAround(normalizer);
    splitter = spelledAnew ? null : preTokenizer.byteLevelSplitter();
    space = splitter == null ? space(preTokenizer, spelled, parts.model()) : null;
    anywhere = isLocal(normalizer) && (splitter != null || space != null);
  }

  /** Whether a normalizer changes characters one by one, or by Unicode's rules, and no spaces. */
  private static boolean isLocal(Normalizer normalizer) {
    if (normalizer instanceof Normalizer.Sequence sequence) {
      return sequence.parts().stream().allMatch(PipelineCuts::isLocal);
    }
    return normalizer instanceof Normalizer.Unicode
        || normalizer instanceof Normalizer.Lowercase
        || normalizer instanceof Normalizer.Replace replace
            && !replace.pattern().isRegex()
            && replace.pattern().source().equals(" ");
  }

  private static boolean looksAround(Normalizer normalizer) {
    return normalizer instanceof Normalizer.Sequence sequence
        ? sequence.parts().stream().anyMatch(PipelineCuts::looksAround)
        : normalizer instanceof Normalizer.Unicode || normalizer instanceof Normalizer.Lowercase;
  }

  private static @Nullable String space(
      PreTokenizer preTokenizer, String spelled, TokenModel model) {
    if (preTokenizer instanceof PreTokenizer.Split split) {
      return split.endsBeforeSpace() && spelled.equals(" ") ? spelled : null;
    }
    if (preTokenizer instanceof PreTokenizer.Metaspace metaspace) {
      boolean whole = metaspace.split() || isNeverJoined(metaspace.replacement(), model);
      return whole && spelled.equals(" ") ? metaspace.replacement() : null;
    }
    return preTokenizer.equals(PreTokenizer.NONE) && isNeverJoined(spelled, model) ? spelled : null;
  }

  /** Whether a character is a token, and no merge joins one that it begins to anything else. */
  private static boolean isNeverJoined(String space, TokenModel model) {
    if (!(model instanceof TokenModel.BytePair bytePair)
        || space.codePointCount(0, space.length()) != 1
        || bytePair.options().ignoreMerges()
        || !bytePair.vocabulary().contains(space)) {
      return false;
    }
    List<String> tokens = bytePair.vocabulary();
    return bytePair.merges().stream()
        .noneMatch(
            merge ->
                tokens.get(merge.right()).startsWith(space)
                    && !tokens.get(merge.left()).endsWith(space));
  }

  /** The last place found, or 0. */
  int last(CharSequence text) {
    if (!anywhere) {
      return NOWHERE;
    }
    int at = text.length();
    do {
      at = splitter != null ? splitter.lastCut(text, at) : lastSpace(text, at);
    } while (at > 0 && !isFree(text, at));
    return at;
  }

  private int lastSpace(CharSequence text, int end) {
    for (int i = end - 1; i > 0; i--) {
      if (text.charAt(i) == ' ') {
        char before = text.charAt(i - 1);
        if (!Unicode.isWhiteSpace(before) && !space.endsWith(String.valueOf(before))) {
          return i;
        }
      }
    }
    return 0;
  }

  /** Whether a normalizer makes the same of both sides apart as of both together. */
  private boolean isLeftAlone(CharSequence text, int at) {
    if (text.charAt(at) < 0x80 && text.charAt(at - 1) < 0x80) {
      return true; // ASCII joins nothing before it
    }
    int type = Character.getType(Character.codePointAt(text, at));
    if (type == Character.NON_SPACING_MARK || type == Character.COMBINING_SPACING_MARK) {
      return false;
    }
    int from = Math.max(0, at - AROUND);
    String around = text.subSequence(from, Math.min(text.length(), at + AROUND)).toString();
    return normalizer.normalize(around).equals(around);
  }

  private boolean isFree(CharSequence text, int at) {
    if (looksAround && !isLeftAlone(text, at)) {
      return false;
    }
    int far = GROWTH * inNormalized.longest();
    int near = Math.max(far, inText.longest());
    if (at > text.length() - near) {
      return false; // an added token may begin before it, whose end is not there yet
    }
    int from = Math.max(0, at - near);
    if (inText.touches(text.subSequence(from, at + near).toString(), at - from)) {
      return false;
    }
    if (far == 0) {
      return true;
    }
    String before = normalizer.normalize(text.subSequence(Math.max(0, at - far), at).toString());
    String behind = normalizer.normalize(text.subSequence(at, at + far).toString());
    return !inNormalized.touches(before + behind, before.length());
  }
}
