package dev.spatz.tokenizer;

/**
 * A token that stands for no text, such as the end of a document.
 *
 * @param content its name, as tokenizer files spell it; neither empty nor malformed UTF-16
 * @param id its token id, at least 0
 */
public record SpecialToken(String content, int id) {

  /**
   * Checks the components.
   *
   * @param content its name
   * @param id its token id
   * @throws IllegalArgumentException if the content is empty or contains an unpaired surrogate, or
   *     the id is negative
   */
  public SpecialToken {
    if (content.isEmpty()) {
      throw new IllegalArgumentException("special token " + id + " has an empty content");
    }
    Utf16.requirePairs(content, 0, content.length());
    if (id < 0) {
      throw new IllegalArgumentException(
          "special token " + content + " has id " + id + "; ids are at least 0");
    }
  }
}
