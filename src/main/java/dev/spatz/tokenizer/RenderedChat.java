package dev.spatz.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** A conversation as the pieces that a template makes of it. */
final class RenderedChat {
  private final List<Piece> pieces = new ArrayList<>();

  private record Piece(String text, boolean special, boolean byAssistant) {}

  /** Adds the content of a special token. */
  RenderedChat special(String content, boolean byAssistant) {
    pieces.add(new Piece(content, true, byAssistant));
    return this;
  }

  /** Adds ordinary text of the template. */
  RenderedChat template(String text) {
    pieces.add(new Piece(text, false, false));
    return this;
  }

  /** Adds what somebody said. */
  RenderedChat content(String text, boolean byAssistant) {
    pieces.add(new Piece(text, false, byAssistant));
    return this;
  }

  String text() {
    return pieces.stream().map(Piece::text).collect(Collectors.joining());
  }

  /**
   * Ids of the text between two special tokens are those of all of it together, as other libraries
   * encode it. The model says those that begin after the last that the text before its content has
   * by itself.
   */
  EncodedChat encode(Tokenizer tokenizer) {
    List<Integer> ids = new ArrayList<>();
    List<Boolean> byAssistant = new ArrayList<>();
    StringBuilder run = new StringBuilder();
    List<Change> changes = new ArrayList<>();
    for (Piece piece : pieces) {
      if (!piece.special) {
        changes.add(new Change(run.length(), piece.byAssistant));
        run.append(piece.text);
        continue;
      }
      encodeRun(tokenizer, run.toString(), changes, ids, byAssistant);
      run.setLength(0);
      changes.clear();
      ids.add(id(tokenizer, piece.text));
      byAssistant.add(piece.byAssistant);
    }
    encodeRun(tokenizer, run.toString(), changes, ids, byAssistant);
    boolean[] said = new boolean[byAssistant.size()];
    for (int i = 0; i < said.length; i++) {
      said[i] = byAssistant.get(i);
    }
    return new EncodedChat(ids.stream().mapToInt(Integer::intValue).toArray(), said);
  }

  /** From this index of a text on, the model says it or not. */
  private record Change(int index, boolean byAssistant) {}

  private static void encodeRun(
      Tokenizer tokenizer,
      String text,
      List<Change> changes,
      List<Integer> ids,
      List<Boolean> byAssistant) {
    int[] all = tokenizer.encode(text);
    int from = 0;
    for (int i = 0; i < changes.size(); i++) {
      int end = i + 1 < changes.size() ? changes.get(i + 1).index : text.length();
      int to =
          end == text.length() ? all.length : common(all, tokenizer.encode(text.substring(0, end)));
      for (; from < to; from++) {
        ids.add(all[from]);
        byAssistant.add(changes.get(i).byAssistant);
      }
    }
  }

  /** The number of ids at the beginning that are the same. */
  private static int common(int[] a, int[] b) {
    int same = 0;
    while (same < Math.min(a.length, b.length) && a[same] == b[same]) {
      same++;
    }
    return same;
  }

  private static int id(Tokenizer tokenizer, String content) {
    return tokenizer.specialTokens().stream()
        .filter(special -> special.content().equals(content))
        .mapToInt(SpecialToken::id)
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "the chat template needs the special token "
                        + content
                        + ", which the tokenizer does not have"));
  }

  /** The content of a special token. */
  static String content(Tokenizer tokenizer, int id) {
    return tokenizer.specialTokens().stream()
        .filter(special -> special.id() == id)
        .map(SpecialToken::content)
        .findFirst()
        .orElseThrow();
  }
}
