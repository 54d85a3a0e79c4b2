package dev.spatz.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
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
    Encoder encoder = tokenizer::encode;
    for (Piece piece : pieces) {
      if (!piece.special) {
        changes.add(new Change(run.length(), piece.byAssistant));
        run.append(piece.text);
        continue;
      }
      encodeRun(encoder, run.toString(), changes, ids, byAssistant);
      run.setLength(0);
      changes.clear();
      int id = id(tokenizer, piece.text);
      ids.add(id);
      byAssistant.add(piece.byAssistant);
      encoder = text -> encodeAfter(tokenizer, piece.text, id, text);
    }
    encodeRun(encoder, run.toString(), changes, ids, byAssistant);
    boolean[] said = new boolean[byAssistant.size()];
    for (int i = 0; i < said.length; i++) {
      said[i] = byAssistant.get(i);
    }
    return new EncodedChat(ids.stream().mapToInt(Integer::intValue).toArray(), said);
  }

  /** From this index of a text on, the model says it or not. */
  private record Change(int index, boolean byAssistant) {}

  private interface Encoder {
    int[] encode(String text);
  }

  /** Ids of a text after a special token, which may take white space along. */
  private static int[] encodeAfter(Tokenizer tokenizer, String special, int id, String text) {
    int[] ids = tokenizer.encode(special + text, AllowedSpecial.atBeginning(special));
    boolean once = ids[0] == id && Arrays.stream(ids).filter(one -> one == id).count() == 1;
    return once ? Arrays.copyOfRange(ids, 1, ids.length) : tokenizer.encode(text);
  }

  private static void encodeRun(
      Encoder encoder,
      String text,
      List<Change> changes,
      List<Integer> ids,
      List<Boolean> byAssistant) {
    int[] all = encoder.encode(text);
    int from = 0;
    for (int i = 0; i < changes.size(); i++) {
      int end = i + 1 < changes.size() ? changes.get(i + 1).index : text.length();
      int to =
          end == text.length() ? all.length : common(all, encoder.encode(text.substring(0, end)));
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
