package dev.spatz.dataset;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Collects whole documents, and writes files for tests. */
final class Documents implements DocumentVisitor {
  private final List<String> documents = new ArrayList<>();
  private final StringBuilder document = new StringBuilder();

  static List<String> of(Corpus corpus) throws IOException {
    Documents visitor = new Documents();
    corpus.forEach(visitor);
    return visitor.documents;
  }

  static Path write(Path directory, String name, String text) throws IOException {
    return write(directory, name, text.getBytes(StandardCharsets.UTF_8));
  }

  static Path write(Path directory, String name, byte[] bytes) throws IOException {
    Path file = directory.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.write(file, bytes);
  }

  @Override
  public void text(CharSequence piece) {
    if (piece.isEmpty() || Character.isHighSurrogate(piece.charAt(piece.length() - 1))) {
      throw new AssertionError("a piece is empty or ends within a character");
    }
    document.append(piece);
  }

  @Override
  public void endOfDocument() {
    documents.add(document.toString());
    document.setLength(0);
  }
}
