package dev.spatz.tokenizer;

import dev.spatz.template.Text;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Finds the special tokens that a template spells itself, and not with what somebody said. */
final class TemplateTokens {
  private final Map<Character, List<String>> byFirst = new HashMap<>();

  TemplateTokens(List<SpecialToken> special) {
    for (SpecialToken token : special) {
      byFirst
          .computeIfAbsent(token.content().charAt(0), c -> new ArrayList<>())
          .add(token.content());
    }
    byFirst.values().forEach(all -> all.sort(Comparator.comparingInt(one -> -one.length())));
  }

  /** The index of the first one from an index on; negative if there is none. */
  int next(Text text, int from) {
    for (int i = from; i < text.length(); i++) {
      if (!at(text, i).isEmpty()) {
        return i;
      }
    }
    return -1;
  }

  /** The longest one that begins at an index; empty if there is none. */
  String at(Text text, int index) {
    for (String content : byFirst.getOrDefault(text.charAt(index), List.of())) {
      if (text.toString().startsWith(content, index) && isTemplates(text, index, content)) {
        return content;
      }
    }
    return "";
  }

  private static boolean isTemplates(Text text, int index, String content) {
    for (int i = index; i < index + content.length(); i++) {
      if (text.originAt(i) != Text.TEMPLATE) {
        return false;
      }
    }
    return true;
  }
}
