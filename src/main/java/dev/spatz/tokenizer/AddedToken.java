package dev.spatz.tokenizer;

import java.util.Locale;

/**
 * A token that is found in a text before anything else happens to it.
 *
 * @param content its spelling; neither empty nor malformed UTF-16
 * @param id its token id, at least 0
 * @param singleWord whether it is found only where no word character is beside it
 * @param lstrip whether it takes the white space before it along
 * @param rstrip whether it takes the white space behind it along
 * @param normalized whether it is looked for in the normalized text, else in the text as given
 * @param special whether it stands for no text; it is then found only where it is asked for
 */
public record AddedToken(
    String content,
    int id,
    boolean singleWord,
    boolean lstrip,
    boolean rstrip,
    boolean normalized,
    boolean special) {

  /**
   * Checks the components.
   *
   * @throws IllegalArgumentException if the content is empty or contains an unpaired surrogate, or
   *     the id is negative
   */
  public AddedToken {
    if (content.isEmpty()) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "added token %d has an empty content", id));
    }
    Utf16.requirePairs(content, 0, content.length());
    if (id < 0) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "added token %s has id %d; ids are at least 0", content, id));
    }
  }
}
