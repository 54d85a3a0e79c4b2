package dev.spatz.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Finds added tokens in a text: of those that begin first, the longest. */
final class AddedTokenFinder {
  /** Text between added tokens where {@code id} is negative, else an added token. */
  record Segment(String text, int id) {}

  private record Entry(String spelling, AddedToken token) {}

  private final Map<Character, List<Entry>> byFirst = new HashMap<>();

  AddedTokenFinder(List<AddedToken> tokens, Normalizer normalizer) {
    for (AddedToken token : tokens) {
      String spelling =
          token.normalized() ? normalizer.normalize(token.content()) : token.content();
      if (!spelling.isEmpty()) {
        byFirst
            .computeIfAbsent(spelling.charAt(0), c -> new ArrayList<>())
            .add(new Entry(spelling, token));
      }
    }
    Comparator<Entry> longest = Comparator.comparingInt(entry -> -entry.spelling.length());
    byFirst.values().forEach(entries -> entries.sort(longest));
  }

  /** The segments of a text, in order; none is empty. */
  List<Segment> split(String text, AllowedSpecial allowed) {
    List<Segment> segments = new ArrayList<>();
    int from = 0;
    for (int i = 0; i < text.length() && !byFirst.isEmpty(); ) {
      Entry entry = find(text, i);
      if (entry == null) {
        i++;
        continue;
      }
      int end = i + entry.spelling.length();
      AddedToken token = entry.token;
      if (token.special() && !allowed.contains(token.content(), i)
          || token.singleWord() && !isSingleWord(text, i, end)) {
        i = end;
        continue;
      }
      int start = i;
      i = end;
      while (token.lstrip() && start > from && Unicode.isWhiteSpace(text.charAt(start - 1))) {
        start--;
      }
      while (token.rstrip() && end < text.length() && Unicode.isWhiteSpace(text.charAt(end))) {
        end++;
      }
      if (from < start) {
        segments.add(new Segment(text.substring(from, start), -1));
      }
      segments.add(new Segment("", token.id()));
      from = end;
    }
    if (from < text.length()) {
      segments.add(new Segment(text.substring(from), -1));
    }
    return segments;
  }

  /** The length of the longest spelling; 0 if there is no token. */
  int longest() {
    return byFirst.values().stream()
        .mapToInt(entries -> entries.get(0).spelling.length())
        .max()
        .orElse(0);
  }

  /** Whether some token's spelling begins, ends or goes on at an index. */
  boolean touches(String text, int at) {
    for (int i = 0; i <= at && i < text.length(); i++) {
      for (Entry entry : byFirst.getOrDefault(text.charAt(i), List.of())) {
        if (i + entry.spelling.length() >= at && text.startsWith(entry.spelling, i)) {
          return true;
        }
      }
    }
    return false;
  }

  private @Nullable Entry find(String text, int at) {
    for (Entry entry : byFirst.getOrDefault(text.charAt(at), List.of())) {
      if (text.startsWith(entry.spelling, at)) {
        return entry;
      }
    }
    return null;
  }

  private static boolean isSingleWord(String text, int start, int end) {
    return (start == 0 || !Unicode.isWord(text.codePointBefore(start)))
        && (end == text.length() || !Unicode.isWord(text.codePointAt(end)));
  }

  /** Encodes a text whose special tokens may stand in it, everything else by {@code ordinary}. */
  static int[] encode(
      CharSequence text,
      AllowedSpecial allowed,
      List<SpecialToken> special,
      Function<String, int[]> ordinary) {
    List<AddedToken> tokens = new ArrayList<>();
    for (SpecialToken token : special) {
      tokens.add(new AddedToken(token.content(), token.id(), false, false, false, false, true));
    }
    String whole = text.toString();
    Utf16.requirePairs(whole, 0, whole.length());
    return new AddedTokenFinder(tokens, Normalizer.NONE)
        .split(whole, allowed).stream()
            .map(part -> part.id() < 0 ? ordinary.apply(part.text()) : new int[] {part.id()})
            .flatMapToInt(Arrays::stream)
            .toArray();
  }
}
