package dev.spatz.generation;

import java.util.List;

/**
 * Passes text on until a stop string is complete. What could still become one is held back, and
 * nothing else. Characters are looked at one by one, so pieces may be cut anywhere.
 */
final class StopStrings {
  private final List<String> strings;
  private final StringBuilder held = new StringBuilder();
  private boolean found;

  StopStrings(List<String> strings) {
    this.strings = strings;
  }

  /** The text that is certain now. */
  String accept(String piece) {
    if (strings.isEmpty() || found) {
      return found ? "" : piece;
    }
    for (int i = 0; i < piece.length(); i++) {
      held.append(piece.charAt(i));
      int stop = longestEnding();
      if (stop > 0) {
        found = true;
        String before = held.substring(0, held.length() - stop);
        held.setLength(0);
        return before;
      }
    }
    int certain = held.length() - longestBeginning();
    String text = held.substring(0, certain);
    held.delete(0, certain);
    return text;
  }

  /** What was held back in vain. */
  String flush() {
    String text = held.toString();
    held.setLength(0);
    return text;
  }

  boolean found() {
    return found;
  }

  /** The length of the longest stop string at the end of what is held; 0 if there is none. */
  private int longestEnding() {
    int longest = 0;
    for (String string : strings) {
      int from = held.length() - string.length();
      if (from >= 0 && held.indexOf(string, from) == from) {
        longest = Math.max(longest, string.length());
      }
    }
    return longest;
  }

  /** The length of the longest end of what is held that begins a stop string. */
  private int longestBeginning() {
    for (int from = 0; from < held.length(); from++) {
      String end = held.substring(from);
      if (strings.stream().anyMatch(string -> string.startsWith(end))) {
        return end.length();
      }
    }
    return 0;
  }
}
