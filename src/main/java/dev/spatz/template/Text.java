package dev.spatz.template;

import java.util.Arrays;

/**
 * A string that remembers where each character comes from: the template itself, or one of the texts
 * that it was given. Cut, joined or changed, its characters keep their origins. Equality is that of
 * the strings. Immutable.
 */
public final class Text implements CharSequence, Comparable<Text> {
  /** The origin of what the template itself spells. */
  public static final int TEMPLATE = 0;

  static final Text EMPTY = new Text("", null, 0);

  private static final int GENERATED = 1; // the lowest bit of a mark; the origin is above it

  private final String string;
  private final int[] marks; // null where all are the same
  private final int mark;

  private Text(String string, int[] marks, int mark) {
    this.string = string;
    this.marks = marks;
    this.mark = mark;
  }

  /**
   * A text of one origin.
   *
   * @param origin {@link #TEMPLATE}, or what the caller tells its texts apart by: above 0
   */
  public static Text of(String string, int origin) {
    return new Text(string, null, origin << 1);
  }

  /** A text that counts as the template's own. */
  static Text of(String string) {
    return of(string, TEMPLATE);
  }

  /** Where a character comes from. */
  public int originAt(int index) {
    return markAt(index) >> 1;
  }

  /** Whether a character was spelled within {@code {% generation %}}. */
  public boolean isGenerated(int index) {
    return (markAt(index) & GENERATED) != 0;
  }

  private int markAt(int index) {
    return marks == null ? mark : marks[index];
  }

  /** This text, spelled within {@code {% generation %}}. */
  Text generated() {
    int[] all = marks == null ? null : Arrays.stream(marks).map(one -> one | GENERATED).toArray();
    return new Text(string, all, mark | GENERATED);
  }

  @Override
  public int length() {
    return string.length();
  }

  @Override
  public char charAt(int index) {
    return string.charAt(index);
  }

  @Override
  public Text subSequence(int start, int end) {
    int[] part = marks == null ? null : Arrays.copyOfRange(marks, start, end);
    return new Text(string.substring(start, end), part, mark);
  }

  /** The part from an index on. */
  Text from(int start) {
    return subSequence(start, length());
  }

  @Override
  public int compareTo(Text other) {
    return string.compareTo(other.string);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Text that && string.equals(that.string);
  }

  @Override
  public int hashCode() {
    return string.hashCode();
  }

  @Override
  public String toString() {
    return string;
  }

  /** Joins texts. */
  static final class Builder {
    private final StringBuilder string = new StringBuilder();
    private int[] marks = new int[64];

    Builder append(Text text) {
      append(text.string, text.mark);
      if (text.marks != null) {
        int from = string.length() - text.length();
        System.arraycopy(text.marks, 0, marks, from, text.length());
      }
      return this;
    }

    /** Adds what the template itself spells. */
    Builder append(String text) {
      return append(text, TEMPLATE);
    }

    /** Adds what stands for a character of a text. */
    Builder append(String text, Text source, int index) {
      return append(text, source.markAt(index));
    }

    private Builder append(String text, int mark) {
      int from = string.length();
      string.append(text);
      if (string.length() > marks.length) {
        marks = Arrays.copyOf(marks, Math.max(2 * marks.length, string.length()));
      }
      Arrays.fill(marks, from, string.length(), mark);
      return this;
    }

    int length() {
      return string.length();
    }

    Text text() {
      return new Text(string.toString(), Arrays.copyOf(marks, string.length()), TEMPLATE);
    }
  }
}
