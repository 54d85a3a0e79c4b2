package dev.spatz.dataset;

import java.io.IOException;

/** Receives the documents of a {@link Corpus} one after the other, each in pieces. */
public interface DocumentVisitor {

  /**
   * The next piece of the current document. It is valid only during the call, is never empty, and
   * never begins or ends within a surrogate pair.
   *
   * @param piece to be copied if it is to be kept
   * @throws IOException if what the visitor does with the text fails; it ends the visit
   */
  void text(CharSequence piece) throws IOException;

  /**
   * The current document is complete. It may have had no text at all.
   *
   * @throws IOException if what the visitor does with the document fails; it ends the visit
   */
  void endOfDocument() throws IOException;
}
