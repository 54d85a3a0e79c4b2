package dev.spatz.dataset;

import java.io.IOException;

/** Puts the pieces of each document together. */
final class WholeDocuments implements DocumentVisitor {
  private final StringBuilder text = new StringBuilder();
  private final Reader reader;

  /** Receives whole documents. */
  interface Reader {
    /** The next document; it may be empty. */
    void document(String text) throws IOException;
  }

  WholeDocuments(Reader reader) {
    this.reader = reader;
  }

  @Override
  public void text(CharSequence piece) {
    text.append(piece);
  }

  @Override
  public void endOfDocument() throws IOException {
    String whole = text.toString();
    text.setLength(0);
    reader.document(whole);
  }
}
